import json
import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import Event, Identifier, QuarantinedItem
from tests import factories
from tests.channels.wire_client import send, source

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

NOW = datetime.now(UTC)
TODAY = timezone.localdate().isoformat()


def till(**facts):
    return source(is_secret=True, channel="store", is_shared=True, region="NL", **facts)


def noor(*, by=None, **facts):
    facts = {"visit_date": TODAY, "visit_time": "11:30", "total": "80.00"} | facts
    identifiers = [("user_id", "noor"), ("card", "LK1"), ("phone", "+31612345678")]
    receipt = factories.record(
        factories.identify(*identifiers, name="Noor"),
        factories.order("A-1", ("user_id", "noor"), ("order", "A-1"), **facts),
        by=by,
    )
    return receipt.outcomes[0].customer_id


@pytest.mark.parametrize(
    "scan",
    [{"card": "LK 1"}, {"order": "A-1"}, {"phone": "06 12345678"}],
    ids=["card", "order", "phone"],
)
def test_a_scan_says_who_stands_there_in_one_line(running, scan):
    _, key = till()
    customer_id = noor()

    response = send(
        running.web, "/v1/store/scans", scan | {"till": "gate-2", "at": NOW.isoformat()}, key=key
    )

    assert response.status == 200
    shown = response.json
    assert (shown["id"], shown["name"]) == (str(customer_id), "Noor")
    assert shown["line"] == "Noor: today at 11:30, order A-1"
    assert shown["order"]["status"] == "placed"
    assert response.counts == (1, 0, 0)
    scanned = Event.objects.order_by("version").last()
    assert (scanned.customer_id, scanned.body["properties"]["till"]) == (customer_id, "gate-2")


def test_card_and_phone_that_a_desk_only_noted_are_found_at_each_scan(running):
    _, key = till()
    customer_id = noor(by=factories.sender(factories.source(channel="phone")))
    assert not Identifier.objects.filter(kind__in=["card", "phone"], customer=customer_id).exists()

    for _ in range(2):
        for scan in ({"card": "LK1"}, {"phone": "06 12345678"}):
            response = send(running.web, "/v1/store/scans", scan, key=key)

            assert (response.status, response.json["id"]) == (200, str(customer_id))


def test_noted_card_does_not_compete_with_the_record_that_it_is_attached_to(running):
    _, key = till()
    customer_id = noor()
    desk = factories.sender(factories.source(channel="phone"))
    factories.record(factories.identify(("user_id", "bas"), ("card", "LK1"), name="Bas"), by=desk)

    response = send(running.web, "/v1/store/scans", {"card": "LK1"}, key=key)

    assert (response.status, response.json["id"]) == (200, str(customer_id))


def test_claimed_order_hides_nobody_who_was_verified_with_its_number(running):
    _, key = till()
    owner, shop = factories.source(), factories.sender()
    factories.record(
        factories.incoming_event(("user_id", "gerda"), ("order", "MEN-1"), name="Payment Received"),
        by=shop,
    )
    page = factories.sender(owner, trusted=False)
    factories.record(
        factories.order("MEN-1", ("anonymous_id", "eve"), ("order", "MEN-1"), visit_date=TODAY),
        by=page,
    )

    response = send(running.web, "/v1/store/scans", {"order": "MEN-1"}, key=key)

    assert response.status == 200
    assert response.json["is_verified"]


def test_claimed_order_opens_no_gate(running):
    _, key = till()
    noor(visit_date="2020-01-01")
    factories.record(factories.incoming_event(("user_id", "noor"), ("anonymous_id", "hers")))
    free = factories.order(
        "FREE-1", ("anonymous_id", "hers"), ("order", "FREE-1"), visit_date=TODAY
    )
    factories.record(free, by=factories.sender(trusted=False))

    by_card = send(running.web, "/v1/store/scans", {"card": "LK1"}, key=key)
    by_number = send(running.web, "/v1/store/scans", {"order": "FREE-1"}, key=key)

    assert (by_card.json["line"], by_card.json["order"]) == ("Noor: no visit ahead", None)
    assert by_number.json["order"] is None


def test_look_at_a_cancelled_order_says_so(running):
    _, key = till()
    noor()
    factories.record(
        factories.order(
            "A-1", ("order", "A-1"), name="Order Cancelled", at=factories.NOON + timedelta(hours=1)
        ),
        by=factories.sender(factories.source(channel="phone")),
    )

    response = send(running.web, "/v1/store/scans", {"order": "A-1"}, key=key)

    assert response.json["line"] == "Noor: order A-1 was cancelled"


def test_an_unknown_card_is_unknown_each_time_and_its_scans_are_kept(running):
    _, key = till()

    responses = [send(running.web, "/v1/store/scans", {"card": "LK9"}, key=key) for _ in range(2)]

    assert [(response.status, response.json["code"]) for response in responses] == [
        (404, "unknown_customer")
    ] * 2
    assert Event.objects.filter(name="Card Scanned").count() == 2


@pytest.mark.parametrize(
    "scan",
    [
        {},
        {"card": ""},
        {"card": "a", "code": "b"},
        {"card": ["a"]},
        {"card": "a" * 200},
        [],
        "x",
        None,
    ],
)
def test_invalid_scan_is_refused(running, scan):
    _, key = till()

    response = send(running.web, "/v1/store/scans", scan, key=key)

    assert response.status == 400
    assert set(response.json) == {"code", "message"}


def test_a_scan_needs_a_secret_key_that_may_read(running):
    keys = {"public": source()[1], "writer": till(scopes=["ingest", "identify"])[1]}
    noor()

    answers = {
        name: send(running.web, "/v1/store/scans", {"card": "LK1"}, key=key)
        for name, key in keys.items()
    }

    assert {name: answer.status for name, answer in answers.items()} == {
        "public": 403,
        "writer": 403,
    }


def test_scan_takes_as_many_statements_for_forty_orders_as_for_one(client):
    _, key = till()
    headers = {"Authorization": f"Bearer {key}"}
    noor()

    def count_statements():
        with CaptureQueriesContext(connection) as queries:
            answer = client.post(
                "/v1/store/scans", {"card": "LK1"}, content_type="application/json", headers=headers
            )
        assert answer.json()["name"] == "Noor"
        return len(queries)

    # The first scans store the links, which the next scan finds in memory.
    for _ in range(3):
        statement_count = count_statements()
    for number in range(40):
        factories.record(
            factories.order(f"B-{number}", ("user_id", "noor"), ("order", f"B-{number}"))
        )
    # The orders changed the record, so the first scan reads its cached identifiers anew.
    count_statements()

    assert count_statements() == statement_count


# Offline tills -----------------------------------------------------------------------


def lines(count):
    return [
        {"id": f"l{n}", "card": "LK1", "at": (NOW - timedelta(days=3, minutes=n)).isoformat()}
        for n in range(count)
    ]


def batch(lines, *, sequence=1, clock=NOW):
    return {
        "device": "till-3",
        "sequence": sequence,
        "clock": clock.isoformat(),
        "lines": lines,
    }


def test_batches_late_shuffled_and_twice_have_one_effect_each(running):
    _, key = till()
    noor()
    all_lines = lines(60)
    parts = [all_lines[start : start + 20] for start in (0, 20, 40)] * 2
    chance = random.Random(7)
    chance.shuffle(parts)
    statuses = []
    for sequence, part in enumerate(parts):
        shuffled = chance.sample(part, len(part))

        response = send(
            running.web, "/v1/store/batches", batch(shuffled, sequence=sequence), key=key
        )

        assert response.status == 200
        assert [line["id"] for line in response.json["lines"]] == [line["id"] for line in shuffled]
        statuses += [line["status"] for line in response.json["lines"]]
    assert (statuses.count("accepted"), statuses.count("duplicate")) == (60, 60)
    stored = Event.objects.filter(name="Card Scanned")
    assert stored.count() == 60
    assert {event.message_id for event in stored} == {f"till-3:l{n}" for n in range(60)}
    assert all((event.received_at - event.occurred_at).days >= 2 for event in stored)


def test_each_line_has_its_own_result(running):
    _, key = till()
    noor()
    send(running.web, "/v1/store/batches", batch([{"id": "1", "card": "LK1"}]), key=key)
    lines = [
        {"id": "1", "card": "LK1"},
        {"id": "2", "card": "LK1"},
        {"id": "3"},
        {"id": "1", "card": "LK2"},
        7,
    ]

    response = send(running.web, "/v1/store/batches/", batch(lines, sequence=2), key=key)

    assert response.json["sequence"] == 2
    assert [tuple(line.values()) for line in response.json["lines"]] == [
        ("1", "duplicate", ""),
        ("2", "accepted", ""),
        ("3", "quarantined", "wrong_scan"),
        ("1", "other_content", "other_content"),
        ("", "quarantined", "not_an_object"),
    ]
    assert QuarantinedItem.objects.count() == 3


def test_the_clock_of_a_till_is_put_right(running):
    _, key = till()
    wrong = NOW - timedelta(days=400)
    line = {"id": "1", "card": "LK1", "at": (wrong - timedelta(hours=2)).isoformat()}

    send(running.web, "/v1/store/batches", batch([line], clock=wrong), key=key)

    stored = Event.objects.get()
    assert abs(stored.received_at - stored.occurred_at - timedelta(hours=2)) < timedelta(minutes=1)


def test_a_scan_made_online_is_not_counted_again_offline(running):
    _, key = till()
    noor()
    scan = {"id": "1", "device": "till-3", "card": "LK1", "at": NOW.isoformat()}

    online = send(running.web, "/v1/store/scans", scan, key=key)
    later = send(running.web, "/v1/store/batches", batch([scan]), key=key)

    assert online.status == 200
    assert later.json["lines"][0]["status"] == "duplicate"


def test_invalid_till_batch_is_refused(running):
    _, key = till()

    for body in (b"", b"[]", {"device": "till-3"}, {"lines": []}, batch([{}] * 1001)):
        response = send(running.web, "/v1/store/batches", body, key=key)

        assert response.status == 400
        assert set(response.json) == {"code", "message"}


def test_scan_that_cannot_be_stored_is_refused_with_its_reason(running):
    _, key = till()
    noor()
    scan = {"card": "LK1", "device": "d" * 60, "id": "i" * 60}

    response = send(running.web, "/v1/store/scans", scan, key=key)

    assert response.status == 400
    assert response.json["code"] == "message_id_too_long"


def test_byte_order_mark_before_a_scan_is_ignored(running):
    _, key = till()
    noor()

    body = b"\xef\xbb\xbf" + json.dumps({"card": "LK1"}).encode()

    assert send(running.web, "/v1/store/scans", body, key=key).status == 200
