"""Rules that all addresses under /api/ obey. The routes come from the URL resolver.

A new route obeys a rule without code of its own, or it fails the test of the rule.
"""

import re

import pytest
from django.db import transaction
from django.urls import resolve

from customers.api import schema
from customers.models import AccessLogEntry
from tests.channels import wire_client
from tests.config.test_access import CALLERS, TABLE, world  # noqa: F401
from tests.security.test_routes import FILLED, OPEN, OWN, TABLES
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db

# A page for people, who may follow a link with parameters of a newsletter.
PAGES = {"GET api/docs/"}


def _filled(route: str, things: dict[str, object]) -> str:
    return "/" + re.sub(r"<\w+:(\w+)>", lambda name: str(things[name[1]]), route)


def _plain(route: str) -> str:
    """Return the route with a fixed value for each parameter."""
    return re.sub(r"<(?:(\w+):)?\w+>", lambda kind: FILLED[kind[1] or "path"], route)


def _allowed_caller(operation: str) -> str:
    """Return a caller whom the table allows the operation, or who fails at the object only."""
    cells = dict(zip(CALLERS, TABLE[operation].split(), strict=True))
    return next((name for name in reversed(CALLERS) if cells[name] == "y"), "customer")


def _declared_parameters(document: dict, operation: str) -> list[str]:
    method, route = operation.split(" ", 1)
    path = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)
    described = document["paths"].get(path, {}).get(method.lower(), {})
    return [named["name"] for named in described.get("parameters", ()) if named["in"] == "query"]


def _operations() -> list[str]:
    return [operation for operation in TABLE if operation not in PAGES]


def test_unknown_query_parameter_is_refused_with_the_declared_ones(client, world, subtests):  # noqa: F811
    things, callers = world
    document = client.get("/api/schema/").json()
    for operation in _operations():
        method, route = operation.split(" ", 1)
        caller = callers[_allowed_caller(operation)]
        path = f"{_filled(route, things)}?limti=5"
        with subtests.test(operation):
            answer = caller.generic(method, path, b"{}", content_type="application/json")

            problem = answer.json()
            assert answer.status_code == 400, problem
            assert problem["type"] == "urn:butler:problem:unknown-parameter"
            assert "“limti”" in problem["detail"]
            # The generator of the document sorts the parameters.
            assert sorted(problem["parameters"]) == _declared_parameters(document, operation)
            assert all(name in problem["detail"] for name in problem["parameters"])
    assert AccessLogEntry.objects.count() == 0


def test_declared_query_parameters_are_not_unknown(client, world, subtests):  # noqa: F811
    things, callers = world
    document = client.get("/api/schema/").json()
    tested = 0
    for operation in _operations():
        if not operation.startswith("GET "):
            continue
        caller = callers[_allowed_caller(operation)]
        for name in _declared_parameters(document, operation):
            tested += 1
            with subtests.test(operation, name=name):
                answer = caller.get(_filled(operation[4:], things), {name: "1"})

                assert b"unknown-parameter" not in answer.content
    assert tested > 30


def test_head_refuses_an_unknown_query_parameter_too(world):  # noqa: F811
    _, callers = world

    assert callers["customer"].head("/api/me/?x=1").status_code == 400
    assert callers["customer"].head("/api/me/?at_least=1").status_code == 200


def test_long_name_of_an_unknown_parameter_is_shortened_in_the_problem(world):  # noqa: F811
    _, callers = world

    answer = callers["customer"].get("/api/me/", {"x" * 5000: "1"})

    assert answer.status_code == 400
    assert len(answer.content) < 600


@pytest.mark.parametrize("query", ["?_=1732999999&sentAt=x", "?"])
def test_wire_and_pages_take_query_parameters_that_clients_add(query):
    _, key = wire_client.source()
    event = wire_client.track()
    client = WsgiClient(headers={"authorization": f"Bearer {key}"})

    answers = [
        client.post(f"/v1/track{query}", event, content_type="application/json"),
        client.get(f"/sign-in/{query}"),
        client.get(f"/api/docs/{query}"),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


ROUTES = sorted({operation.split(" ", 1)[1] for operation in TABLE})
WRITES = ("POST", "PUT", "PATCH", "DELETE")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer sk_x"}], ids=["page", "key"])
def test_read_without_the_last_slash_is_redirected_with_its_query(world, method, headers):  # noqa: F811
    things, _ = world
    client = WsgiClient(headers=headers)
    paths = [_filled(route, things) for route in ROUTES]

    answers = {
        path: client.generic(method, f"{path.removesuffix('/')}?limit=1&cursor=a%2Fb")
        for path in paths
    }

    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(
        paths, 301
    )
    assert {path: answer["Location"] for path, answer in answers.items()} == {
        path: f"{path}?limit=1&cursor=a%2Fb" for path in paths
    }


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer sk_x"}], ids=["page", "key"])
def test_write_without_the_last_slash_is_explained_and_not_redirected(world, headers):  # noqa: F811
    things, _ = world
    client = WsgiClient(headers=headers)
    calls = [(method, _filled(route, things)) for method in WRITES for route in ROUTES]

    answers = {
        (method, path): client.generic(method, path.removesuffix("/"), b"{}")
        for method, path in calls
    }

    assert {call: _problem(answer) for call, answer in answers.items()} == {
        (method, path): (
            404,
            "urn:butler:problem:missing-slash",
            f"Write the path with a slash at its end: {path}",
        )
        for method, path in calls
    }


def _problem(answer) -> tuple[int, str, str]:
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"], answer.json()["detail"]


def test_page_without_the_last_slash_is_redirected(world):  # noqa: F811
    things, _ = world
    routes = [route for route in OPEN | OWN | TABLES["console"] if re.fullmatch(r"[^^]+/", route)]
    paths = ["/admin/", *(_filled(_plain(route), things) for route in routes)]

    answers = {path: WsgiClient().get(path.removesuffix("/")) for path in paths}

    assert len(paths) > 50
    assert {path: answer.get("Location") for path, answer in answers.items()} == {
        path: path for path in paths
    }


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/me/nothing/here", "/_allauth/nothing", "/live/nothing"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_path_without_a_route_is_not_found_with_and_without_slash(client, path, method):
    answers = [client.generic(method, path), client.generic(method, f"{path}/")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert {answer["Content-Type"] for answer in answers} == {"application/problem+json"}


@pytest.mark.parametrize("path", ["//evil.example/preferences", "//preferences", "/api//me"])
def test_path_that_starts_like_a_host_is_not_redirected(client, path):
    answer = client.get("/", PATH_INFO=path)

    assert answer.status_code == 404


# A body for each operation that creates an object, and the end of the address of the object.
_REASON = {"reason": "The customer asked for it."}
CREATIONS = {
    "orders/": ({"lines": [{"product": "ticket"}]}, r"orders/[^/]+/"),
    "party/": ({"name": "Mia"}, r"party/[0-9a-f]{32}/"),
    "requests/": ({"subject": "My order"}, r"requests/"),
    "erase/": (_REASON, r"erase/"),
    "decisions/": (
        {"kind": "merge", "first": "email:noor@example.com", "second": "email:eli@example.com"}
        | _REASON,
        r"decisions/",
    ),
    "address-changes/": ({"adds": "noor@example.org", "evidence": "passport"}, "address-changes/"),
    "me/stream-ticket/": ({}, r"/live/me\?ticket=\S+"),
}
# A passkey needs an authenticator: tests/customers/api/test_passkeys.py reads its Location.
_TESTED_ELSEWHERE = {"/api/me/passkeys/"}


def test_every_201_has_the_location_of_the_object(client, world, subtests):  # noqa: F811
    things, callers = world
    paths = client.get("/api/schema/").json()["paths"]
    routes = {
        "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", operation[5:]): operation
        for operation in TABLE
        if operation.startswith("POST ")
    }
    creations = {
        path: methods["post"]["responses"]["201"]
        for path, methods in paths.items()
        if path.startswith("/api/") and "201" in methods.get("post", {}).get("responses", {})
    }
    for path in creations.keys() - _TESTED_ELSEWHERE:
        operation = routes[path]
        address = _filled(operation[5:], things)
        [(body, expected)] = [row for end, row in CREATIONS.items() if path.endswith(f"/{end}")]
        headers = {"idempotency-key": f"key of {path}"}
        caller = callers[_allowed_caller(operation)]
        with subtests.test(operation), transaction.atomic():
            answers = [
                caller.post(address, body, content_type="application/json", headers=headers)
                for _ in range(2)
            ]
            transaction.set_rollback(True)

            # A stream ticket is new each time; the others are stored answers.
            assert [answer.status_code for answer in answers] == [201, 201], answers[0].content
            assert re.search(rf"(^|/){expected}$", answers[0]["Location"])
            assert "ticket" in path or answers[1]["Location"] == answers[0]["Location"]
            if answers[0]["Location"].startswith("/api/"):
                assert resolve(answers[0]["Location"]).url_name != "unknown-route"
    assert len(creations) >= 11
    assert [path for path, answer in creations.items() if "Location" not in answer["headers"]] == []


@pytest.mark.parametrize("number", ["A.1_b-2", "x" * 50])
def test_location_of_an_order_leads_to_it(world, number):  # noqa: F811
    things, callers = world
    desk = callers["writing key"]
    order = {"number": number, "currency": "EUR", "lines": [{"product": "ticket"}]}

    placed = desk.post(
        f"/api/customers/{things['customer_id']}/orders/", order, content_type="application/json"
    )

    assert placed.status_code == 201
    assert desk.get(placed["Location"]).json()["number"] == number


def test_description_of_a_201_without_its_location_is_refused():
    with pytest.raises(TypeError):
        schema.describe("Make a thing", status=201)
