"""The access to each route and method under /api/, for each kind of caller.

The routes come from the URL resolver, so a route without a row in the table fails the test.
"""

import json
import re
import uuid
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import Permission
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from butler.actions import staff_tasks
from butler.models import TopicStatus
from customers.actions.sources import create_source, revoke_key
from customers.models import ManualDecision, Merge, Order, QuarantinedItem, Review, User
from tests import factories
from tests.customers import consent_helpers

# Callers, in the order of the columns below.
CALLERS = (
    "anybody",
    "publishable key",
    "revoked key",
    "ingest key",
    "reading key",
    "writing key",
    "customer",
    "another customer",
    "staff without rights",
    "staff who read",
    "staff who write",
    "closed staff",
)
# y: allowed. 1: 401, not authenticated. 3: 403, not allowed. 4: 404, as for a missing object.
READ = "1 3 1 3 y y y 4 3 y y 1"
WRITE = "1 3 1 3 3 y y 4 3 3 y 1"
# Actions that only customers can do, such as reading a message, and not staff for them.
READER_WRITE = "1 3 1 3 3 y y 4 3 3 3 1"
STAFF_READ = "1 3 1 3 y y 3 3 3 y y 1"
# The staff of the table do not have the right to see addresses.
READ_ADDRESSES = "1 3 1 3 y y 3 3 3 3 3 1"
STAFF_WRITE = "1 3 1 3 3 y 3 3 3 3 y 1"
# Only staff decide who is who, and erase a record. No key does.
STAFF_DECIDE = "1 3 1 3 3 3 3 3 3 3 y 1"
# Under /api/me/ each signed-in customer gets the own record; keys and staff have none.
OWN_READ = "1 3 1 3 4 4 y y 3 4 4 1"
OWN_WRITE = "1 3 1 3 3 4 y y 3 3 4 1"
# The objects in the table belong to the customer. Other customers have no such objects.
# Another source than the one that placed the order finds no order to confirm.
CONFIRM = "1 3 1 3 3 4 3 4 3 3 y 1"
OWN_THING_READ = "1 3 1 3 4 4 y 4 3 4 4 1"
OWN_THING_WRITE = "1 3 1 3 3 4 y 4 3 3 4 1"
OWN_READER_WRITE = "1 3 1 3 3 4 y 4 3 3 3 1"
OWN_LOGIN = "1 3 1 3 3 3 y y y y y 1"
OWN_ACCOUNTS = "1 3 1 3 3 3 y y 4 4 4 1"
# The sessions of the table proved no mailbox within the last minutes.
FRESH_PROOF = "1 3 1 3 3 3 3 3 4 4 4 1"
OWN_SESSION = "1 3 1 3 3 3 4 4 4 4 4 1"
# Customers never learn which requests exist.
HIDDEN_LIST = "1 3 1 3 3 y 4 4 3 3 y 1"
HIDDEN_ANSWER = "1 3 1 3 3 y 4 4 3 3 y 1"
OPEN = "y y y y y y y y y y y y"

OF_A_RECORD = {
    "GET ": READ,
    "GET timeline/": READ,
    "GET interactions/": READ,
    "GET orders/": READ,
    "POST orders/": WRITE,
    "GET orders/<number:number>/": READ,
    "PATCH orders/<number:number>/": WRITE,
    "POST orders/<number:number>/cancel/": WRITE,
    "GET orders/<number:number>/history/": READ,
    "GET orders/<number:number>/tickets/": WRITE,
    "POST orders/<number:number>/tickets/": WRITE,
    "POST orders/<number:number>/lines/<number:line>/cancel/": WRITE,
    "GET party/": READ,
    "POST party/": WRITE,
    "PATCH party/<number:reference>/": WRITE,
    "DELETE party/<number:reference>/": WRITE,
    "GET merges/": READ,
    "GET identifiers/": READ,
    "GET requests/": READ,
    "POST requests/": WRITE,
    "POST requests/<number:reference>/close/": WRITE,
    "GET consents/": READ,
    "PUT consents/<str:purpose>/": WRITE,
    "PUT objections/<str:subject>/": WRITE,
    "GET preferences/": READ,
    "PATCH preferences/": WRITE,
    "GET ledger/": READ,
    "GET ledger/export/": READ,
    "GET receipts/<uuid:entry_id>/": READ,
    "GET messages/": READ,
    "GET messages/<uuid:message_id>/": READ,
    "POST messages/<uuid:message_id>/read/": READER_WRITE,
    "GET why/": READ,
    "GET access-log/": READ,
}
RECORD = "api/customers/<uuid:customer_id>/"


# Parameters that belong to no customer: all customers can use the same purposes and subjects.
EVERYBODYS = ("<str:purpose>/", "<str:subject>/")


def _own(operation: str, cells: str) -> str:
    names_a_thing = "<" in operation and not operation.endswith(EVERYBODYS)
    if cells is READ:
        return OWN_THING_READ if names_a_thing else OWN_READ
    if cells is READER_WRITE:
        return OWN_READER_WRITE
    return OWN_THING_WRITE if names_a_thing else OWN_WRITE


TABLE = {
    "GET api/orders/requests/": HIDDEN_LIST,
    "POST api/orders/requests/<uuid:request_id>/confirm/": HIDDEN_ANSWER,
    "POST api/orders/requests/<uuid:request_id>/decline/": HIDDEN_ANSWER,
    "GET api/schema/": OPEN,
    "GET api/docs/": OPEN,
    "POST api/sign-in/": OPEN,
    "POST api/sign-in/passkey/options/": OPEN,
    "POST api/sign-in/passkey/": OPEN,
    "GET api/me/accounts/": OWN_ACCOUNTS,
    "POST api/me/accounts/join/": OWN_ACCOUNTS,
    "POST api/me/accounts/<int:account_id>/open/": OWN_SESSION,
    "POST api/me/accounts/<int:account_id>/refuse/": OWN_SESSION,
    "GET api/me/addresses/": OWN_ACCOUNTS,
    "POST api/me/addresses/": OWN_ACCOUNTS,
    "POST api/me/addresses/confirm/": OWN_ACCOUNTS,
    "DELETE api/me/addresses/<int:address_id>/": OWN_SESSION,
    "POST api/me/addresses/<int:address_id>/join/": OWN_SESSION,
    "POST api/me/addresses/<int:address_id>/prefer/": OWN_SESSION,
    "POST api/me/addresses/<int:address_id>/lift/": OWN_SESSION,
    "DELETE api/me/addresses/changes/<int:change_id>/": OWN_SESSION,
    "POST api/me/addresses/changes/<int:change_id>/release/": OWN_SESSION,
    "GET api/me/passkeys/": OWN_ACCOUNTS,
    "POST api/me/passkeys/": OWN_ACCOUNTS,
    "POST api/me/passkeys/options/": FRESH_PROOF,
    "PATCH api/me/passkeys/<int:passkey_id>/": OWN_SESSION,
    "DELETE api/me/passkeys/<int:passkey_id>/": OWN_SESSION,
    "GET api/me/earlier-history/": OWN_ACCOUNTS,
    "POST api/me/earlier-history/": OWN_SESSION,
    "GET api/me/sessions/": OWN_LOGIN,
    "DELETE api/me/sessions/": OWN_LOGIN,
    "DELETE api/me/sessions/<int:session_id>/": OWN_SESSION,
    "POST api/me/stream-ticket/": OWN_LOGIN,
    "GET api/customers/": STAFF_READ,
    "GET api/customers/search/": STAFF_READ,
    f"POST {RECORD}merges/<int:merge_id>/undo/": STAFF_DECIDE,
    f"POST {RECORD}erase/": STAFF_DECIDE,
    f"POST {RECORD}earlier-history/open/": STAFF_DECIDE,
    f"GET {RECORD}address-changes/": STAFF_READ,
    f"POST {RECORD}address-changes/": STAFF_DECIDE,
    f"POST {RECORD}address-changes/<int:change_id>/decide/": STAFF_DECIDE,
    f"POST {RECORD}suppressions/lift/": STAFF_DECIDE,
    f"GET {RECORD}decisions/": STAFF_READ,
    f"POST {RECORD}decisions/": STAFF_DECIDE,
    f"POST {RECORD}decisions/<int:decision_id>/undo/": STAFF_DECIDE,
    f"POST {RECORD}timeline/<uuid:log>/<int:version>/refile/": STAFF_DECIDE,
    f"DELETE {RECORD}timeline/<uuid:log>/<int:version>/refile/": STAFF_DECIDE,
    "GET api/numbering-questions/": STAFF_READ,
    "GET api/address-refusals/": READ_ADDRESSES,
    "POST api/numbering-questions/<int:question_id>/answer/": STAFF_DECIDE,
    "GET api/reviews/": STAFF_READ,
    "GET api/reviews/<int:review_id>/": STAFF_READ,
    "POST api/reviews/<int:review_id>/accept/": STAFF_DECIDE,
    "POST api/reviews/<int:review_id>/decline/": STAFF_DECIDE,
    "GET api/topics/": STAFF_READ,
    "GET api/topics/<str:key>/": STAFF_READ,
    "POST api/topics/<str:key>/": STAFF_WRITE,
    "GET api/tasks/": STAFF_READ,
    "GET api/tasks/<uuid:task_id>/": STAFF_READ,
    "POST api/tasks/<uuid:task_id>/take/": STAFF_WRITE,
    "POST api/tasks/<uuid:task_id>/give-back/": STAFF_WRITE,
    "POST api/tasks/<uuid:task_id>/finish/": STAFF_WRITE,
    "GET api/quarantine/": STAFF_READ,
    "GET api/quarantine/<int:item_id>/": STAFF_READ,
    "POST api/quarantine/<int:item_id>/replay/": STAFF_WRITE,
}
# Customers cannot confirm requests, so these are not under /api/me/.
for _answer in ("confirm", "decline"):
    TABLE[f"POST {RECORD}orders/<number:number>/{_answer}/"] = CONFIRM
for _operation, _cells in OF_A_RECORD.items():
    _method, _path = _operation.split(" ", 1)
    TABLE[f"{_method} {RECORD}{_path}"] = _cells
    TABLE[f"{_method} api/me/{_path}"] = _own(_operation, _cells)

STATUS = {"1": {401}, "3": {403}, "4": {404}}
# "Allowed" means that the response depends on the request and not on the caller.
LET_IN = {200, 201, 202, 204, 400, 409, 422}
NEWS = {"lines": [{"product": "ticket"}]}
BODIES = {
    "orders/": NEWS,
    "orders/<number:number>/": {"note": "x"},
    "party/": {"name": "Mia"},
    "passkeys/<int:passkey_id>/": {"name": "My phone"},
    "party/<number:reference>/": {"name": "Mia"},
    "consents/<str:purpose>/": {"answer": "withdraw", "evidence": {"kind": "voice"}},
    "objections/<str:subject>/": {"answer": "object", "evidence": {"kind": "voice"}},
    "preferences/": {
        "changes": [{"name": "allow", "value": False}],
        "evidence": {"kind": "voice"},
    },
}


def _operations(resolver: URLResolver | None = None, prefix: str = ""):
    """Yield "METHOD route" for each route under api/."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _operations(pattern, route)
        elif isinstance(pattern, URLPattern) and route.startswith("api/"):
            view = getattr(pattern.callback, "view_class", None)
            names = view.http_method_names if view else ["get"]
            for method in names:
                if method not in ("head", "options") and (view is None or hasattr(view, method)):
                    yield f"{method.upper()} {route}"


def test_table_has_exactly_the_routes_of_the_api():
    assert set(_operations()) == set(TABLE)


@pytest.fixture
def world(db):
    """Create Noor's record with an object of each kind, and all kinds of callers."""
    address = ("email", "noor@example.com")
    noor = factories.customer(address, name="Noor")
    factories.record(
        factories.order("A-1", address, lines=[{"line_id": "1", "quantity": 2, "price": 1}]),
        factories.incoming_event(
            address, name="Party Member Changed", about="member:m1", properties={"name": "Mia"}
        ),
        factories.incoming_event(address, name="Callback Requested", about="request:m1"),
        factories.order("R-1", address, name="Order Requested"),
    )
    consent_helpers.house()
    [entry_id] = consent_helpers.say(noor.id, consent_helpers.give()).entries
    other = factories.customer(("email", "eli@example.com"), name="Eli")
    source = factories.source()
    TopicStatus.objects.create(key="ride:x", status="open", changed_at=timezone.now())
    things = {
        "key": "ride:x",
        "customer_id": noor.id,
        "number": "A-1",
        "line": "1",
        "reference": "m1",
        "purpose": "offers",
        "subject": "marketing",
        "entry_id": entry_id,
        "session_id": 999_999,
        "account_id": 999_999,
        "address_id": 999_999,
        "change_id": 999_999,
        "passkey_id": 999_999,
        "message_id": factories.message(noor).pk,
        "merge_id": Merge.objects.create(
            merged_into=noor, record=other, reason="staff", merged_at=timezone.now()
        ).pk,
        "decision_id": _merged(noor, other),
        "task_id": staff_tasks.create(
            key="t", kind="phone", customer_id=noor.id, title="x", body="", due_at=timezone.now()
        ),
        "review_id": Review.objects.create(kind="identifier_limit", first=noor).pk,
        "question_id": 999_999,
        "log": noor.id,
        "version": 1,
        "request_id": Order.objects.get(number="R-1").requests[0]["id"],
        "item_id": QuarantinedItem.objects.create(
            source=source,
            reason="x",
            raw=b"{}",
            digest=uuid.uuid4(),
            evidence=1,
            received_at=timezone.now(),
        ).pk,
    }
    return things, _callers(noor, other)


def _merged(first, second) -> int:
    """Store a decision that is already undone, so that it changes nothing; return its id."""
    ids = sorted(record.identifiers.get().pk for record in (first, second))
    moment = timezone.now()
    return ManualDecision.objects.create(
        kind="merge", first_id=ids[0], second_id=ids[1], decided_at=moment, undone_at=moment
    ).pk


def _callers(noor, other) -> dict[str, Client]:
    keys = {
        "publishable key": _key(is_secret=False),
        "revoked key": _key(is_revoked=True),
        "ingest key": _key("ingest"),
        "reading key": _key("read"),
        "writing key": _key("read", "identify", "ingest"),
    }
    reading = [
        "view_customer",
        "view_consentstate",
        "view_review",
        "view_source",
        "view_quarantineditem",
        "view_stafftask",
    ]
    writing = [
        "add_erasure",
        "change_numberingquestion",
        "change_order",
        "change_partymember",
        "change_review",
        "change_quarantineditem",
    ]
    writing += ["change_consentstate", "change_stafftask"]
    reading += ["view_topicstatus", "find_customer"]
    writing.append("change_topicstatus")
    users = {
        "customer": User.objects.create_user("noor@example.com", record=noor),
        "another customer": User.objects.create_user("eli@example.com", record=other),
        "staff without rights": _staff("kim"),
        "staff who read": _staff("iris", *reading),
        "staff who write": _staff("lin", *reading, *writing),
        "closed staff": _staff("max", *reading, *writing, is_active=False),
    }
    shown = {"anybody": {}}
    shown |= {name: {"Authorization": f"Bearer {key}"} for name, key in keys.items()}
    shown |= {name: {"X-Session-Token": _session(user)} for name, user in users.items()}
    return {name: Client(headers=headers) for name, headers in shown.items()}


def _key(*scopes: str, is_secret: bool = True, is_revoked: bool = False) -> str:
    _, key = create_source(
        name=str(uuid.uuid4()), channel="phone", is_secret=is_secret, scopes=scopes or ("read",)
    )
    if is_revoked:
        revoke_key(prefix=key, now=timezone.now())
    return key


def _staff(name: str, *permissions: str, is_active: bool = True) -> User:
    user = User.objects.create_user(
        f"{name}@staff.example.com", is_staff=True, name=name, is_active=is_active
    )
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def _session(user: User) -> str:
    session = SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.save()
    return session.session_key


@pytest.mark.slow
def test_every_caller_gets_the_status_of_the_table(world, subtests):
    things, callers = world
    for operation, cells in TABLE.items():
        method, route = operation.split(" ", 1)
        path = "/" + re.sub(r"<\w+:(\w+)>", lambda name: str(things[name[1]]), route)
        body = b"" if method == "GET" else _json(_body(route))
        for name, cell in zip(CALLERS, cells.split(), strict=True):
            with subtests.test(operation, caller=name), _undone():
                answer = callers[name].generic(method, path, body, content_type="application/json")

                assert answer.status_code in STATUS.get(cell, LET_IN), answer.content[:300]
                if cell in STATUS:
                    assert answer["Content-Type"] == "application/problem+json"


@contextmanager
def _undone():
    """Undo the allowed action of a caller, so that the next caller finds the same data."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _body(route: str) -> dict:
    return next((b for end, b in BODIES.items() if route.endswith((f"me/{end}", f">/{end}"))), {})


def _json(body: dict) -> bytes:
    return json.dumps(body).encode()
