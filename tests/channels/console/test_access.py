"""The access to each route of the console, for each kind of visitor.

The routes come from the URL resolver, so a route without a row in the table fails the test.
"""

import re
import uuid

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from butler.actions import staff_tasks
from customers.access.roles import ROLES
from customers.models import AddressChange, ManualDecision, Merge, NumberingQuestion, Review, User
from tests import factories, staff

# Visitors, in the order of the columns below.
ROLE_NAMES = ("desk", "till", "marketer", "privacy officer", "manager", "overview")
VISITORS = ("stranger", "customer", "password only", "closed", "no role", *ROLE_NAMES)
# y: allowed. i: redirected to the sign-in. 3: 403, not allowed for this role.
DOOR = "y y y y y y y y y y y"
ALL = "i i i i y y y y y y y"
FIND = "i i i i 3 y y 3 y y 3"
MEET = "i i i i 3 y y y y y 3"
ORDERS = "i i i i 3 y y 3 y y 3"
DECISIONS = "i i i i 3 y 3 y y y 3"
CALLS = "i i i i 3 y 3 3 y y 3"
SERVE = "i i i i 3 y 3 3 3 y 3"
ACCESS_LOG = "i i i i 3 3 3 3 y y 3"
REVIEWS = "i i i i 3 y 3 3 y y 3"
SEE_SWITCHES = "i i i i 3 3 3 y y y y"
TOPICS = "i i i i 3 y y y y y y"
SOURCES = "i i i i 3 3 3 3 3 y 3"
SWITCH = "i i i i 3 3 3 3 3 y 3"

CUSTOMER = "customers/<uuid:customer_id>/"
TABLE = {
    "GET sign-in/": DOOR,
    "GET sign-in/code/": DOOR,
    "GET sign-in/set-up/": DOOR,
    "POST sign-out/": DOOR,
    "GET ": ALL,
    "GET keys/": ALL,
    "GET codes/": ALL,
    "GET search/": FIND,
    f"GET {CUSTOMER}": MEET,
    f"GET {CUSTOMER}access-log/": ACCESS_LOG,
    f"GET {CUSTOMER}orders/": ORDERS,
    f"GET {CUSTOMER}timeline/": REVIEWS,
    f"GET {CUSTOMER}decisions/": DECISIONS,
    f"GET {CUSTOMER}preferences/": REVIEWS,
    f"POST {CUSTOMER}preferences/<slug:name>/": REVIEWS,
    f"GET {CUSTOMER}new-order/": SERVE,
    f"POST {CUSTOMER}new-order/": SERVE,
    f"GET {CUSTOMER}orders/<number:number>/": SERVE,
    f"POST {CUSTOMER}orders/<number:number>/": SERVE,
    f"POST {CUSTOMER}orders/<number:number>/cancel/": SERVE,
    f"POST {CUSTOMER}orders/<number:number>/codes/replace/": SERVE,
    f"POST {CUSTOMER}orders/<number:number>/confirm/": SERVE,
    f"POST {CUSTOMER}orders/<number:number>/decline/": SERVE,
    f"POST {CUSTOMER}orders/<number:number>/lines/<number:line>/cancel/": SERVE,
    f"POST {CUSTOMER}merges/<int:merge_id>/undo/": REVIEWS,
    f"GET {CUSTOMER}identity/": REVIEWS,
    f"GET {CUSTOMER}as-customer/": REVIEWS,
    "GET address-changes/": REVIEWS,
    f"GET {CUSTOMER}addresses/": REVIEWS,
    f"POST {CUSTOMER}addresses/propose/": REVIEWS,
    f"POST {CUSTOMER}addresses/changes/<int:change_id>/": REVIEWS,
    f"GET {CUSTOMER}identity/merge/": REVIEWS,
    f"POST {CUSTOMER}identity/decide/": REVIEWS,
    f"POST {CUSTOMER}identity/<int:decision_id>/undo/": REVIEWS,
    f"GET {CUSTOMER}timeline/<uuid:log>/<int:version>/move/": REVIEWS,
    f"POST {CUSTOMER}timeline/<uuid:log>/<int:version>/move/": REVIEWS,
    f"POST {CUSTOMER}timeline/<uuid:log>/<int:version>/move/undo/": REVIEWS,
    "GET order-requests/": SERVE,
    "GET calls/": CALLS,
    "GET calls/<number:reference>/": CALLS,
    "POST calls/<number:reference>/open/": CALLS,
    f"POST {CUSTOMER}calls/<number:reference>/move/": REVIEWS,
    "GET tasks/": SERVE,
    "POST tasks/<uuid:task_id>/take/": SERVE,
    "POST tasks/<uuid:task_id>/give-back/": SERVE,
    "POST tasks/<uuid:task_id>/finish/": SERVE,
    "GET merges/": REVIEWS,
    "GET merges/<int:review_id>/": REVIEWS,
    "POST merges/<int:review_id>/accept/": REVIEWS,
    "POST merges/<int:review_id>/decline/": REVIEWS,
    "GET topics/": TOPICS,
    "POST topics/status/": SERVE,
    "GET sources/": SOURCES,
    "POST sources/questions/<int:question_id>/": SOURCES,
    "GET switches/": SEE_SWITCHES,
    "POST switches/engage/": SWITCH,
    "POST switches/release/": SWITCH,
}


def _routes(resolver: URLResolver | None = None, prefix: str = "") -> set[str]:
    routes = set()
    for url_pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(url_pattern.pattern)
        if isinstance(url_pattern, URLResolver):
            routes |= _routes(url_pattern, route)
        elif isinstance(url_pattern, URLPattern) and route.startswith("console/"):
            routes.add(route.removeprefix("console/"))
    return routes


def test_table_has_exactly_the_routes_of_the_console():
    assert {operation.split(" ", 1)[1] for operation in TABLE} == _routes()


@pytest.fixture
def world(db):
    """Create Noor's record with an object of each kind."""
    address = ("email", "noor@example.com")
    noor = factories.customer(address, ("phone", "+46701740605"), name="Noor")
    # Kim has the same number, so the call below is one that staff can move.
    factories.customer(("email", "kim@example.com"), ("phone", "+46701740605"), name="Kim")
    factories.record(
        factories.order("A-1", address, lines=[{"line_id": "1", "name": "Day", "quantity": 2}]),
        factories.incoming_event(
            ("phone", "+46701740605"),
            name="Call Started",
            about="call:c1",
            properties={"direction": "in", "from": "+46701740605"},
        ),
    )
    other = factories.customer(("email", "eli@example.com"), name="Eli")
    joined = {"merged_into": noor, "record": other, "reason": "staff", "merged_at": timezone.now()}
    return {
        "customer_id": noor.id,
        "number": "A-1",
        "line": "1",
        "name": "pause",
        "reference": "call:c1",
        "task_id": staff_tasks.create(
            key="t", kind="phone", customer_id=noor.id, title="x", body="", due_at=timezone.now()
        ),
        "review_id": Review.objects.create(kind="identifier_limit", first=noor).pk,
        "decision_id": _merged(noor, other),
        "change_id": _change(noor),
        "merge_id": Merge.objects.create(**joined).pk,
        "question_id": NumberingQuestion.objects.create(
            space_id=1, first=factories.source(), second=factories.source()
        ).pk,
        "log": noor.id,
        "version": 1,
    }


def _merged(first, second) -> int:
    """Store a decision that is already undone, so that it changes nothing; return its id."""
    ids = sorted(record.identifiers.get(kind="email").pk for record in (first, second))
    moment = timezone.now()
    return ManualDecision.objects.create(
        kind="merge", first_id=ids[0], second_id=ids[1], decided_at=moment, undone_at=moment
    ).pk


def _change(customer) -> int:
    """Store a change of an address that waits; return its id."""
    mailbox = customer.identifiers.get(kind="email")
    return AddressChange.objects.create(
        holder_ids=[mailbox.pk], removed=mailbox, actor="customer", requested_at=timezone.now()
    ).pk


def _visitor(name: str) -> Client:
    client = Client()
    if name == "stranger":
        return client
    if name == "customer":
        user = User.objects.create_user("noor@example.com")
        client.force_login(user, staff.BACKEND)
        return client
    if name == "password only":
        # Signed in without the second factor.
        client.force_login(staff.colleague("manager", "Max"), staff.BACKEND)
        return client
    if name == "closed":
        user = staff.colleague("manager", "Kim")
        staff.let_in(client, user)
        User.objects.filter(pk=user.pk).update(is_active=False)
        return client
    return staff.let_in(client, staff.colleague("" if name == "no role" else name, "Sam"))


@pytest.mark.slow
@pytest.mark.parametrize("visitor", VISITORS)
def test_every_role_gets_the_status_of_the_table(world, visitor, subtests):
    column = VISITORS.index(visitor)
    client = _visitor(visitor)
    for operation, cells in TABLE.items():
        method, route = operation.split(" ", 1)
        path = "/console/" + re.sub(r"<\w+:(\w+)>", lambda name: str(world[name[1]]), route)
        if route == "sign-out/":
            continue
        with subtests.test(operation):
            response = client.generic(method, path)

            cell = cells.split()[column]
            if cell == "3":
                assert response.status_code == 403
                assert b"No access" in response.content
            elif cell == "i":
                assert response.status_code == 302
                assert response["Location"].startswith("/console/sign-in/")
            else:
                assert response.status_code in {200, 302, 422}, response.content[:300]
                assert cell == "y"
                assert not (
                    response.status_code == 302
                    and response["Location"].startswith("/console/sign-in/")
                    and cells is not DOOR
                )


def test_unknown_record_is_not_found(world):
    client = staff.let_in(Client(), staff.colleague("manager"))
    nobody = uuid.uuid4()

    for path in (
        "",
        "access-log/",
        "orders/",
        "timeline/",
        "decisions/",
        "new-order/",
        "orders/A-1/",
    ):
        assert client.get(f"/console/customers/{nobody}/{path}").status_code == 404


def test_the_groups_are_as_the_table_of_roles_says(db):
    for role, expected_codes in ROLES.items():
        permissions = Group.objects.get(name=role).permissions.select_related("content_type")
        assert {
            f"{permission.content_type.app_label}.{permission.codename}"
            for permission in permissions
        } == expected_codes
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES) == set(ROLE_NAMES)


@pytest.mark.parametrize("role", ["till", "marketer", "overview", ""])
def test_role_without_access_to_records_gets_403_from_the_api(world, role):
    client = staff.let_in(Client(), staff.colleague(role))

    assert client.get(f"/api/customers/{world['customer_id']}/").status_code == 403
    assert client.get("/api/customers/?identifier=email:noor@example.com").status_code == 403


@pytest.mark.parametrize("role", ["till", "marketer"])
def test_roles_without_addresses_see_the_name_and_no_address(world, role):
    client = staff.let_in(Client(), staff.colleague(role))

    page = client.get(f"/console/customers/{world['customer_id']}/").content.decode()

    assert "Noor" in page
    assert "noor@example.com" not in page
    assert "46701740605" not in page


def test_password_without_second_factor_does_not_open_the_admin(db):
    client = Client()
    User.objects.create_superuser("lin@staff.example.com", "a long password")

    response = client.post(
        "/admin/login/", {"username": "lin@staff.example.com", "password": "a long password"}
    )

    assert response["Location"].startswith("/console/sign-in/")
    assert "_auth_user_id" not in client.session


def test_form_without_csrf_token_changes_nothing(world):
    client = Client(enforce_csrf_checks=True)
    staff.let_in(client, staff.colleague("desk"))

    response = client.post(f"/console/tasks/{world['task_id']}/take/")

    assert response.status_code == 403
