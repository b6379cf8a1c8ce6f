"""The OpenAPI document is complete and valid, and agrees with the server's responses."""

import json
import re
from contextlib import suppress

import pytest
import schemathesis
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from hypothesis import given
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as openapi

from customers.access.roles import ROLES
from customers.actions.sources import create_source
from customers.models import Identifier, User
from tests import factories, size, staff
from tests.customers import consent_helpers

CHECKS = [
    not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_headers_conformance,
    openapi.response_schema_conformance,
    openapi.unsupported_method,
]


@pytest.fixture
def document(client, db) -> dict:
    return client.get("/api/schema/", headers={"accept": "application/json"}).json()


def test_schema_is_openapi_3_1_with_every_endpoint(document):
    paths = document["paths"]

    assert document["openapi"].startswith("3.1")
    assert {"/api/customers/{customer_id}/", "/api/me/orders/", "/api/sign-in/"} <= paths.keys()
    assert {"/v1/batch", "/v1/events", "/v1/phone/calls", "/v1/store/scans"} <= paths.keys()
    assert {"/v1/webhooks/{source}", "/live/me", "/live/customers/{customer_id}"} <= paths.keys()


def test_every_reference_of_the_schema_resolves(document):
    names = set(document["components"]["schemas"])

    referred = {
        part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]
    }

    assert referred <= names


def test_every_operation_has_security_and_a_unique_id(document):
    operations = [
        operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/api/") and method != "parameters"
    ]

    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    unsaid = [operation["operationId"] for operation in operations if not operation.get("security")]
    assert set(unsaid) == {
        "post_sign_in",
        "post_sign_in_passkey",
        "post_sign_in_passkey_options",
    }
    assert all(operation["summary"] for operation in operations)


def test_every_operation_with_an_idempotency_key_documents_its_errors(document):
    with_key = {
        operation["operationId"]: operation["responses"].keys()
        for methods in document["paths"].values()
        for operation in methods.values()
        if any(named["name"] == "Idempotency-Key" for named in operation.get("parameters", ()))
    }

    assert len(with_key) > 10
    assert {
        name: missing
        for name, codes in with_key.items()
        if (missing := {"400", "409", "413", "415", "422"} - codes)
    } == {}


@pytest.mark.parametrize("accept", ["", "application/json", "*/*", "text/html, */*;q=0.1"])
def test_schema_is_json_unless_yaml_is_requested(client, db, accept):
    answer = client.get("/api/schema/", headers={"accept": accept} if accept else {})

    assert answer.status_code == 200
    assert json.loads(answer.content)["openapi"]


def test_schema_is_sent_once_to_a_caller_who_keeps_it(client, db):
    first = client.get("/api/schema/")

    again = client.get("/api/schema/", headers={"if-none-match": first["ETag"]})
    as_yaml = client.get("/api/schema/", headers={"accept": "application/vnd.oai.openapi"})

    assert (again.status_code, again.content) == (304, b"")
    assert as_yaml.status_code == 200
    assert as_yaml["ETag"] != first["ETag"]
    assert "Accept" in first["Vary"]


def test_api_docs_comply_with_their_content_security_policy(client, db):
    answer = client.get("/api/docs/")

    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    page = answer.content.decode()
    assert "<style" not in page
    assert len(re.findall(r"<script\b", page)) == len(re.findall(r"<script\b[^>]*\bsrc=", page))


# A record with an object of each kind, and the allowed callers.


@pytest.fixture
def world(transactional_db) -> dict[str, dict[str, str]]:
    address = ("email", "noor@example.com")
    noor = factories.customer(address, name="Noor")
    factories.record(
        factories.order("A-1", address, lines=[{"line_id": "1", "quantity": 2, "price": 1}]),
        factories.incoming_event(
            address, name="Party Member Changed", about="member:m1", properties={"name": "Mia"}
        ),
        factories.incoming_event(address, name="Callback Requested", about="request:m1"),
    )
    consent_helpers.house()
    [entry_id] = consent_helpers.say(
        noor.id, consent_helpers.give(), consent_helpers.prefer("allow", False)
    ).entries[:1]
    record = Identifier.objects.get(kind="email", evidence=2).record
    session = SessionStore()
    user = User.objects.create_user("noor@example.com", record=record)
    session["_auth_user_id"] = str(user.pk)
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.save()
    _, key = create_source(name="desk", channel="phone", is_secret=True)
    _, publishable = create_source(name="app", channel="app", is_secret=False)
    return {
        "places": {
            "customer_id": str(noor.id),
            "number": "A-1",
            "line": "1",
            "reference": "m1",
            "purpose": "offers",
            "subject": "marketing",
            "entry_id": str(entry_id),
        },
        "key": {"Authorization": f"Bearer {key}"},
        "customer": {"X-Session-Token": session.session_key},
        "publishable key": {"Authorization": f"Bearer {publishable}"},
        "anybody": {},
        **{role: _shown_by(role) for role in CALLERS if role in ROLES},
    }


def _shown_by(role: str) -> dict[str, str]:
    colleague = staff.let_in(Client(), staff.colleague(role))
    return {"X-Session-Token": colleague.session.session_key}


# The other callers, whose requests are mostly refused, run only in `make test-long`. test_access has
# the status of each operation for each caller.
CALLERS = dict.fromkeys(("key", "customer", "manager"), size.examples(1, long=3))
CALLERS["anybody"] = 1
if size.IS_LONG:
    others = ("publishable key", "till", "desk", "marketer", "privacy officer")
    CALLERS |= dict.fromkeys(others, 1)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("caller", CALLERS)
def test_answers_to_generated_requests_match_the_schema(caller, running, world, subtests):
    api = schemathesis.openapi.from_url(f"{running.web}/api/schema/").include(path_regex="^/api/")
    operations = [tested_operation.ok() for tested_operation in api.get_all_operations()]
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @size.tries(CALLERS[caller], long=30)
            @given(case=operation.as_strategy(generation_mode=mode))
            def answered(case):
                _send(case, world, caller)

            # An operation without parameters and body has no invalid requests.
            with subtests.test(operation.label, mode=mode.value), suppress(Unsatisfiable):
                answered()

    assert len(operations) > 40


def _send(case, world, caller: str) -> None:
    for name in case.path_parameters:
        case.path_parameters[name] = world["places"].get(name, case.path_parameters[name])
    for shown in ("Authorization", "X-Session-Token", "Cookie"):
        case.headers.pop(shown, None)

    answer = case.call(headers=world[caller])

    case.validate_response(answer, checks=CHECKS)
