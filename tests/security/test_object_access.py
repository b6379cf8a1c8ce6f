"""The answers for an object of another customer and for a missing object are identical.

The routes come from the resolver, so the test includes each new route with an id.
"""

import re
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from butler.actions import staff_tasks
from customers.actions.sources import create_source
from customers.models import ManualDecision, Merge, User
from tests import factories, staff
from tests.config.test_access import _body, _json, _undone
from tests.customers import consent_helpers
from tests.security.test_routes import _walk

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

# Identifiers of a customer, and a pending change of an address.
OF_IDENTIFIERS = ("account_id", "address_id", "change_id")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PLACE = re.compile(r"<(?:\w+:)?(\w+)>")
_TOKEN = re.compile(r'(name="csrfmiddlewaretoken" value=")[^"]+')
# Of nobody's record: what these name is for staff alone, or is a word of our own.
SHARED = {"key", "source", "kind", "name", "url", "app_label", "purpose", "subject", "token"}


def create_records(address: str, sign: str) -> dict[str, object]:
    """Create a customer with a record of every kind that a route can name."""
    email = ("email", address)
    who = factories.customer(email, name=sign)
    number, line, reference = f"A-{sign}", f"L-{sign}", f"m-{sign}"
    factories.record(
        factories.order(
            number,
            email,
            visit_date="2031-04-18",
            lines=[{"line_id": line, "name": "Day", "quantity": 2, "price": 1}],
        ),
        factories.incoming_event(
            email,
            name="Party Member Changed",
            about=f"member:{reference}",
            properties={"name": sign},
        ),
        factories.incoming_event(email, name="Callback Requested", about=f"request:{reference}"),
    )
    user = User.objects.create_user(address, record=who)
    client = Client()
    client.force_login(user)
    now = timezone.now()
    other = factories.customer(("email", f"twin-{address}"))
    session = client.get("/api/me/sessions/").json()["results"]
    return {
        "client": client,
        "customer_id": who.pk,
        "number": number,
        "line": line,
        "reference": reference,
        "message_id": factories.message(who, subject=f"For {sign}").pk,
        "entry_id": consent_helpers.say(who.pk, consent_helpers.give()).entries[0],
        "merge_id": Merge.objects.create(
            merged_into=who, record=other, reason="staff", merged_at=now
        ).pk,
        "decision_id": ManualDecision.objects.create(
            kind="separate",
            first=who.identifiers.earliest("id"),
            second=other.identifiers.earliest("id"),
            actor="staff:lin",
            decided_at=now,
        ).pk,
        # The place of an event on the log.
        "log": who.pk,
        "version": 1,
        "session_id": session[0]["id"] if session else 1,
        "passkey_id": factories.passkey(user).pk,
        **dict.fromkeys(OF_IDENTIFIERS, who.identifiers.earliest("id").pk),
        "task_id": staff_tasks.create(
            key=sign, kind="phone", customer_id=who.pk, title="x", body="", due_at=now
        ),
    }


MISSING = {
    "customer_id": uuid.UUID(int=7),
    "number": "A-nobody",
    "line": "L-nobody",
    "reference": "m-nobody",
    "message_id": uuid.UUID(int=8),
    "entry_id": uuid.UUID(int=9),
    "merge_id": 987_654_321,
    "decision_id": 987_654_321,
    # The log of a record is named like the record, so the two are replaced alike.
    "log": uuid.UUID(int=7),
    "version": 987_654_321,
    "session_id": 987_654_321,
    "passkey_id": 987_654_321,
    **dict.fromkeys(OF_IDENTIFIERS, 987_654_321),
    "task_id": uuid.UUID(int=10),
}


@pytest.fixture
def noor(db):
    consent_helpers.house()
    return create_records("noor@example.com", "noor")


@pytest.fixture
def eli(noor):
    return create_records("eli@example.com", "eli")


def routes_with_records(prefixes: tuple[str, ...], *, nested: bool) -> list[tuple[str, list[str]]]:
    """Return routes below these that name records of a customer, and the names."""
    named_routes = []
    for route, _ in _walk():
        names = [name for name in _PLACE.findall(route) if name not in SHARED]
        if not names or not route.startswith(prefixes) or "(?" in route:
            continue
        if nested == ("customer_id" in names and len(names) > 1):
            named_routes.append((route, names))
    assert named_routes
    return named_routes


# The moment of an answer is in the last of them, to the second.
OF_ONE = {"X-Request-ID", "Content-Length", "Expires"}


def ask(client: Client, method: str, route: str, values: dict[str, object]):
    """Return status, text and headers of a response, without the parts that differ per request."""
    words = {"purpose": "offers", "subject": "marketing", "name": "consent"} | values
    path = "/" + _PLACE.sub(lambda place: str(words[place[1]]), route)
    sent = b"" if method == "GET" else _json(_body(route))
    kind = "application/json" if route.startswith("api/") else "application/x-www-form-urlencoded"
    with _undone():
        answer = client.generic(
            method,
            path,
            sent if route.startswith("api/") else b"",
            content_type=kind,
            headers={"Idempotency-Key": uuid.uuid4().hex},
        )
    body = _TOKEN.sub(r"\1", answer.content.decode())
    headers = {name: content for name, content in answer.headers.items() if name not in OF_ONE}
    for name, value in values.items():
        # A number of a few digits may be anything, but not between slashes.
        exact = re.escape(str(value))
        shown = re.compile(rf"(?<=/|F){exact}(?=/|%)" if isinstance(value, int) else exact)
        body = shown.sub(name, body)
        headers = {header: shown.sub(name, content) for header, content in headers.items()}
    return answer.status_code, body, headers


def _is_refused(status: int, body: str, headers: dict[str, str]) -> bool:
    return status >= 400 or (status == 302 and "/sign-in/" in headers["Location"])


def distinguishable_answers(client, routes, theirs, base) -> dict[str, object]:
    """Return the routes with different answers for another's record and for a missing record."""
    differences = {}
    for route, names in routes:
        for method in METHODS:
            real = ask(client, method, route, {name: theirs[name] for name in names} | base)
            none = ask(client, method, route, {name: MISSING[name] for name in names} | base)
            if real != none or not _is_refused(*real):
                differences[f"{method} {route}"] = [
                    (real_part, missing_part)
                    for real_part, missing_part in zip(real, none, strict=True)
                    if real_part != missing_part
                ] or real[0]
    return differences


def test_owner_finds_the_objects_that_the_other_tests_use(noor):
    routes = routes_with_records(("orders/", "inbox/", "receipts/", "api/me/"), nested=False)

    statuses = {
        route: ask(noor["client"], "GET", route, {name: noor[name] for name in names})[0]
        for route, names in routes
    }

    assert set(statuses.values()) <= {200, 405}
    assert sum(status == 200 for status in statuses.values()) >= 9


def test_objects_of_another_customer_answer_like_missing_ones(noor, eli):
    """Under one's own pages, and under /api/me/: named by what belongs to somebody else."""
    own = routes_with_records(
        ("orders/", "inbox/", "receipts/", "records/", "api/me/"), nested=False
    )
    assert len(own) > 12

    assert distinguishable_answers(eli["client"], own, noor, {}) == {}


def test_customer_cannot_open_a_record_by_id(noor, eli):
    routes = routes_with_records(("api/customers/", "console/customers/"), nested=False)
    routes += routes_with_records(("api/customers/", "console/customers/"), nested=True)

    assert distinguishable_answers(eli["client"], routes, noor, {}) == {}


@pytest.mark.parametrize("who", ["key", "manager"])
def test_object_of_one_record_is_missing_below_another_record(noor, eli, who):
    routes = routes_with_records(("api/customers/", "console/customers/"), nested=True)
    if who == "key":
        _, key = create_source(
            name="x", channel="phone", is_secret=True, scopes=("read", "identify", "ingest")
        )
        client = Client(headers={"Authorization": f"Bearer {key}"})
    else:
        client = staff.let_in(Client(), staff.colleague("manager"))
    crossed = {"customer_id": eli["customer_id"]}

    door = "/api/customers/?identifier=order:x" if who == "key" else "/console/"
    assert client.get(door).status_code == 200
    # The thing is Noor's and the record is Eli's: nothing there, and nothing was changed.
    assert distinguishable_answers(client, routes, noor, crossed) == {}
