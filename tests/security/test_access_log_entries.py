"""Each time that staff or a key reads the data of a customer, the access log gets an entry.

The routes come from the tables of the API and the console, which other tests compare with the resolver,
and from the registry of /admin/. The data of the customer contains a word that occurs nowhere else. If a
response contains this word and the access log has no new entry for the customer, the test fails.
"""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib import admin
from django.db import models, transaction
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from butler.actions import staff_tasks
from customers.access import access_log
from customers.actions.sources import create_source
from customers.actions.ticket_codes import read_tickets
from customers.models import (
    AccessLogEntry,
    AddressChange,
    Event,
    Merge,
    NumberingQuestion,
    Order,
    QuarantinedItem,
    Review,
    User,
)
from tests import factories, staff
from tests.channels.console.test_access import TABLE as CONSOLE
from tests.config.test_access import TABLE as API
from tests.config.test_access import _body as api_body
from tests.config.test_access import _json, _key
from tests.customers import consent_helpers

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

MAIL, PHONE = ("email", "kanarilook@example.com"), ("phone", "+46701740605")
CARD = ("card", "C-500")
WORD = re.compile(rb"kanarilook", re.IGNORECASE)


@pytest.fixture
def places(db) -> dict[str, object]:
    """Create a customer whose word is in each kind of data, and return the parts of the routes."""
    customer = factories.customer(
        MAIL, PHONE, CARD, name="Kanarilook de Wit", first_name="Kanarilook"
    )
    other = factories.customer(("email", "kim@example.com"), PHONE, name="Kim")
    factories.record(
        factories.order(
            "A-1", MAIL, name="Kanarilook", lines=[{"line_id": "1", "name": "Day", "quantity": 2}]
        ),
        factories.incoming_event(
            MAIL,
            name="Party Member Changed",
            about="member:m1",
            properties={"reference": "m1", "name": "Kanarilook junior"},
        ),
        factories.incoming_event(
            PHONE,
            name="Call Started",
            about="call:c1",
            properties={"direction": "in", "from": PHONE[1]},
        ),
        factories.incoming_event(MAIL, name="Callback Requested", about="request:m1"),
        factories.order("R-1", MAIL, name="Order Requested"),
    )
    consent_helpers.house()
    [entry_id] = consent_helpers.say(customer.id, consent_helpers.give()).entries
    mailbox = customer.identifiers.get(kind="email")
    moment = timezone.now()
    return {
        "customer": customer,
        "customer_id": customer.id,
        "number": "A-1",
        "line": "1",
        "reference": "m1",
        "name": "pause",
        "purpose": "offers",
        "subject": "marketing",
        "entry_id": entry_id,
        "session_id": 999_999,
        "account_id": 999_999,
        "address_id": mailbox.pk,
        "passkey_id": 999_999,
        "key": "ride:x",
        "message_id": factories.message(customer, subject="Kanarilook").pk,
        "merge_id": Merge.objects.create(
            merged_into=customer, record=other, reason="staff", merged_at=moment
        ).pk,
        "decision_id": 999_999,
        "change_id": AddressChange.objects.create(
            holder_ids=[mailbox.pk], removed=mailbox, actor="customer", requested_at=moment
        ).pk,
        "task_id": staff_tasks.create(
            key="t",
            kind="phone",
            customer_id=customer.id,
            title="Kanarilook",
            body="",
            due_at=moment,
        ),
        "review_id": Review.objects.create(kind="identifier_limit", first=customer).pk,
        "question_id": NumberingQuestion.objects.create(
            space_id=1, first=factories.source(), second=factories.source()
        ).pk,
        "request_id": Order.objects.get(number="R-1").requests[0]["id"],
        "item_id": QuarantinedItem.objects.create(
            source=factories.source(),
            reason="x",
            raw=b'{"traits": {"name": "Kanarilook"}}',
            digest=uuid.uuid4(),
            evidence=1,
            received_at=moment,
        ).pk,
        "log": customer.id,
        "version": 1,
    }


@contextmanager
def _undone() -> Iterator[None]:
    """Undo what a request changed, and forget which entries this process has written."""
    access_log._recent.clear()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _path(route: str, places: dict[str, object]) -> str:
    values = places | ({"reference": "call:c1"} if "calls/" in route else {})
    return re.sub(r"<\w+:(\w+)>", lambda name: str(values[name[1]]), route)


def _unlogged(client: Client, method: str, path: str, **options) -> bool:
    """Tell whether a response has the word of the customer, and the access log has no entry for it."""
    with _undone():
        response = client.generic(method, path, **options)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        return bool(WORD.search(content)) and not AccessLogEntry.objects.exists()


def test_page_of_the_console_with_data_of_a_customer_makes_an_entry(places):
    client = staff.let_in(Client(), staff.colleague("manager", "Sam"))
    operations = [operation.split(" ", 1) for operation in CONSOLE]
    queries = ("", "?parts", "?q=de+wit", "?cursor=")

    unlogged = [
        f"{method} {route}{query}"
        for method, route in operations
        for query in (queries if method == "GET" else ("",))
        if route != "sign-out/"
        and _unlogged(client, method, "/console/" + _path(route, places) + query)
    ]

    assert unlogged == []


@pytest.mark.parametrize("caller", ["key", "manager"])
def test_answer_of_the_api_with_data_of_a_customer_makes_an_entry(places, caller):
    if caller == "key":
        key = _key("read", "identify", "ingest")
        client = Client(headers={"Authorization": f"Bearer {key}"})
    else:
        colleague = staff.let_in(Client(), staff.colleague("manager", "Sam"))
        client = Client(headers={"X-Session-Token": colleague.session.session_key})
    queries = ("", "?identifier=phone:%2B46701740605", "?q=de+wit")

    unlogged = []
    for operation in API:
        method, route = operation.split(" ", 1)
        body = b"" if method == "GET" else _json(api_body(route))
        for query in queries if method == "GET" else ("",):
            path = "/" + _path(route, places) + query
            if _unlogged(client, method, path, data=body, content_type="application/json"):
                unlogged.append(f"{operation}{query}")

    assert unlogged == []


@pytest.mark.parametrize("prefix", ["/api/customers/{}/", "/console/customers/{}/"])
def test_head_makes_the_entry_of_get(places, prefix):
    colleague = staff.let_in(Client(), staff.colleague("manager", "Sam"))
    api = Client(headers={"X-Session-Token": colleague.session.session_key})
    client = api if "api" in prefix else colleague

    with _undone():
        response = client.head(prefix.format(places["customer_id"]))

        assert (response.status_code, AccessLogEntry.objects.count()) == (200, 1)


def test_page_of_the_admin_with_data_of_a_customer_makes_an_entry(places):
    user = User.objects.create_superuser("root@staff.example.com", "x", name="Root")
    client = staff.let_in(Client(), user)
    paths = [*_admin_paths(), "/admin/search/?s=de+wit", "/admin/search/?s=kim"]
    assert len(paths) > 20

    assert [path for path in paths if _unlogged(client, "GET", path)] == []


def _admin_paths() -> Iterator[str]:
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        yield reverse(f"{name}_changelist") + "?q=de+wit"
        for row in model._default_manager.all()[:3]:
            yield from _pages_of(name, row)


def _pages_of(name: str, model: models.Model) -> Iterator[str]:
    for page in ("change", "history", "delete"):
        try:
            yield reverse(f"{name}_{page}", args=[model.pk])
        except NoReverseMatch:
            continue


def _till(*scopes: str) -> Client:
    _, key = create_source(
        name=f"Till {uuid.uuid4()}", channel="till", is_secret=True, scopes=scopes
    )
    return Client(headers={"Authorization": f"Bearer {key}"})


def test_scan_that_names_a_customer_makes_an_entry_with_source_and_person(places):
    till = _till("read", "identify", "ingest")

    answer = till.post("/v1/store/scans", {"card": CARD[1], "staff": "Iris"}, "application/json")

    assert WORD.search(answer.content)
    [entry] = AccessLogEntry.objects.filter(customer=places["customer_id"])
    assert entry.what == "gate"
    assert re.fullmatch(r"source:.+, for Iris", entry.actor)


def test_ticket_code_that_names_a_customer_makes_an_entry_with_source_and_person(places):
    visit = {"visit_date": timezone.localdate().isoformat()}
    factories.record(factories.order("T-1", MAIL, ("order", "T-1"), **visit))
    [ticket] = read_tickets(customer_id=places["customer_id"], number="T-1", now=timezone.now())
    till = _till("read", "identify", "ingest")

    answer = till.post(
        "/v1/store/scans", {"code": ticket.code, "staff": "Iris"}, "application/json"
    )

    assert WORD.search(answer.content)
    [entry] = AccessLogEntry.objects.filter(customer=places["customer_id"])
    assert (entry.what, entry.reason) == ("gate", "")
    assert re.fullmatch(r"source:.+, for Iris", entry.actor)


def test_call_that_names_a_customer_makes_an_entry_with_source_and_person(places):
    desk = _till("read", "identify", "ingest")
    call = {"event": "newCall", "callId": "c-9", "direction": "in", "from": PHONE[1], "user": "Sam"}

    answer = desk.post("/v1/phone/calls", call, "application/json")

    assert WORD.search(answer.content)
    [entry] = AccessLogEntry.objects.filter(customer=places["customer_id"])
    assert entry.what == "call"
    assert re.fullmatch(r"source:.+, for Sam", entry.actor)


def test_scan_with_the_id_of_another_scan_shows_no_customer(places):
    till = _till("read", "identify", "ingest")
    used = {"device": "till-1", "id": "1"}
    till.post("/v1/store/scans", {**used, "card": "C-1"}, "application/json")

    answer = till.post("/v1/store/scans", {**used, "card": CARD[1]}, "application/json")

    assert (answer.status_code, WORD.search(answer.content)) == (409, None)
    assert not AccessLogEntry.objects.exists()


def test_call_with_the_id_of_another_call_shows_no_customer(places):
    desk = _till("read", "identify", "ingest")
    call = {"event": "newCall", "callId": "c-9", "direction": "in"}
    desk.post("/v1/phone/calls", {**call, "from": "+31201234567"}, "application/json")

    answer = desk.post("/v1/phone/calls", {**call, "from": PHONE[1]}, "application/json")

    assert WORD.search(answer.content) is None
    assert not AccessLogEntry.objects.exists()


@pytest.mark.parametrize("stated", ["staff:Root", "Root", "source:butler", "user:1", "customer"])
def test_event_of_a_source_names_its_source_before_the_person(places, stated):
    till = _till("identify", "ingest")
    event = {
        "type": "track",
        "event": "Locker Opened",
        "userId": "u-1",
        "context": {"actor": stated, "externalIds": [{"type": "card", "id": "C-77"}]},
    }

    till.post("/v1/track", event, "application/json")

    actor = Event.objects.get(name="Locker Opened").actor
    assert re.fullmatch(r"source:Till [0-9a-f-]{36}(, for \w+)?", actor)


def test_name_in_a_header_never_counts_as_a_colleague(places):
    key = _key("read")
    client = Client(headers={"Authorization": f"Bearer {key}", "Butler-Staff": "Root"})

    client.get(f"/api/customers/{places['customer_id']}/")

    [entry] = AccessLogEntry.objects.filter(customer=places["customer_id"])
    assert re.fullmatch(r"source:[0-9a-f-]{36}, for Root", entry.actor)
