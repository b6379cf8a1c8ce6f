"""A session that opens only a part of a record reads and changes nothing of the other parts.

The routes come from the resolver, so the tests include each new route.
"""

import pytest
from django.utils import timezone

from butler.models import Message
from customers.identity import decisions
from customers.models import Customer, Identifier, Merge, Request
from customers.queries import lists
from tests import factories
from tests.customers import consent_helpers
from tests.security.test_object_access import (
    create_records,
    distinguishable_answers,
    routes_with_records,
)
from tests.security.test_routes import _walk

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

# A word that only events, messages and identifiers of the closed part contain.
CLOSED = "quillfeather"
OWN, OTHER = "noor@example.com", f"{CLOSED}@example.com"
QUERIES = ("", "?parts", "?kind=identify", "?at_version=3", "?limit=200")
# The consents are of the record as a whole, so whoever opens a mailbox of it reads their receipts.
OF_THE_WHOLE = {"entry_id"}


@pytest.fixture
def joined(db):
    """Return the objects of two customers whom staff merged, the closed ones second, and the record.

    The session of the first one opens her mailbox and what is filed on it.
    """
    consent_helpers.house()
    own, other = create_records(OWN, "noor"), create_records(OTHER, CLOSED)
    factories.record(
        factories.identify(("email", OTHER), name=CLOSED, phone="+31612345678", city=CLOSED),
        factories.incoming_event(
            ("email", OTHER), name="Call Started", about="call:7", properties={"text": CLOSED}
        ),
    )
    closed = Customer.objects.get(pk=other["customer_id"])
    Message.objects.filter(customer_id=closed.pk).update(address=OTHER)
    factories.decision(closed, message_id=Message.objects.get(customer_id=closed.pk).pk)
    decisions.merge_records(
        own["customer_id"], closed.pk, actor="staff:lin", now=timezone.now(), reason=CLOSED
    )
    other |= {"merge_id": Merge.objects.latest("id").pk}
    return own, other, Identifier.objects.get(kind="email", value=OWN).customer_id


def test_no_page_and_no_answer_shows_a_closed_part(joined):
    own, _, record_id = joined
    shown = {}
    for route, _ in _walk():
        path = "/" + route.replace("<uuid:customer_id>", str(record_id))
        if "<" in path or "(?" in path:
            continue
        for query in QUERIES:
            answer = own["client"].get(path + query)
            shown[path + query] = CLOSED in b"".join(answer).decode(errors="replace")

    assert [path for path, is_shown in shown.items() if is_shown] == []
    assert len(shown) > 200


def test_objects_of_a_closed_part_answer_like_missing_ones(joined):
    own, other, _ = joined
    routes = routes_with_records(
        ("orders/", "inbox/", "receipts/", "records/", "api/me/"), nested=False
    )
    routes = [(route, names) for route, names in routes if OF_THE_WHOLE.isdisjoint(names)]
    assert len(routes) > 12

    assert distinguishable_answers(own["client"], routes, other, {}) == {}


def test_objects_of_a_closed_part_are_missing_below_the_record(joined):
    own, other, record_id = joined
    routes = routes_with_records(("api/customers/",), nested=True)
    routes = [(route, names) for route, names in routes if OF_THE_WHOLE.isdisjoint(names)]
    assert len(routes) > 12

    differences = distinguishable_answers(own["client"], routes, other, {"customer_id": record_id})

    assert differences == {}


def test_messages_without_an_address_show_from_the_merge_on(joined):
    own, other, record_id = joined
    Message.objects.filter(customer_id=other["customer_id"]).update(address="", channel="inbox")
    record = Customer.objects.get(pk=record_id)
    factories.message(record, channel="inbox", subject="For both", at=timezone.now())

    messages = own["client"].get("/api/me/messages/").json()["results"]

    subjects = {message["subject"] for message in messages}
    assert "For both" in subjects
    assert f"For {CLOSED}" not in subjects


def test_member_of_a_closed_part_is_no_guardian(joined):
    own, other, _ = joined
    body = {"name": "Mia", "role": "child", "guardian": other["reference"]}

    answer = own["client"].post("/api/me/party/", body, content_type="application/json")

    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:butler:problem:no-such-member",
    )


def test_own_request_can_be_closed_and_the_other_one_stays_open(joined):
    own, other, _ = joined

    statuses = [
        own["client"]
        .post(f"/api/me/requests/{values['reference']}/close/", {}, content_type="application/json")
        .status_code
        for values in (own, other)
    ]

    assert statuses == [200, 404]
    assert [*Request.objects.filter(status="open").values_list("reference", flat=True)] == [
        other["reference"]
    ]


def test_merge_with_a_closed_part_is_not_undone(joined):
    own, other, record_id = joined

    for body in ({}, {"confirm": "1"}):
        assert (
            own["client"].post(f"/records/{other['merge_id']}/separate/", body).status_code == 404
        )

    assert Identifier.objects.get(kind="email", value=OTHER).customer_id == record_id
    assert lists.merges(record_id)
