import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.ingest import segment
from channels.ingest.segment import RequestContext
from customers.types import IncomingEvent, RejectedItem

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FRAME = RequestContext(NOW)
TRUSTED = RequestContext(NOW, is_trusted=True)


def track(**fields):
    return {"type": "track", "event": "Ride Entered", "messageId": "m1", "userId": "u1"} | fields


def read(event, frame=FRAME):
    return segment.read_event(json.dumps(event).encode(), frame)


def incoming_event(event, frame=FRAME) -> IncomingEvent:
    incoming = read(event, frame)
    assert isinstance(incoming, IncomingEvent), incoming
    return incoming


def test_event_keeps_its_body_byte_by_byte():
    raw = b'{ "type":"track", "event":"Ride Entered", "messageId":"m1", "userId":"u1" }'

    incoming = segment.read_event(raw, FRAME)

    assert isinstance(incoming, IncomingEvent)
    assert incoming.body == raw
    assert (incoming.kind, incoming.name, incoming.message_id) == ("track", "Ride Entered", "m1")
    assert incoming.identifiers == (("user_id", "u1"),)
    assert incoming.occurred_at == NOW


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        pytest.param(track(userId=None), "missing_ids", id="no-ids"),
        pytest.param(track(userId=""), "missing_ids", id="empty-id"),
        pytest.param(track(userId=["u1"]), "wrong_type", id="id-is-a-list"),
        pytest.param(track(userId=True), "wrong_type", id="id-is-true"),
        pytest.param(track(anonymousId={}), "wrong_type", id="anonymous-id-is-an-object"),
        pytest.param(track(userId="u" * 513), "id_too_long", id="long-id"),
        pytest.param(track(type="trakc"), "unknown_type", id="unknown-type"),
        pytest.param(track(type=["track"]), "unknown_type", id="type-is-a-list"),
        pytest.param({"userId": "u1"}, "unknown_type", id="no-type"),
        pytest.param(track(event=""), "missing_name", id="no-name"),
        pytest.param(track(event=5), "wrong_type", id="name-is-a-number"),
        pytest.param(track(event="x" * 256), "name_too_long", id="long-name"),
        pytest.param(track(messageId="m" * 101), "message_id_too_long", id="long-message-id"),
        pytest.param(track(messageId={"a": 1}), "wrong_type", id="message-id-is-an-object"),
        pytest.param(
            {"type": "identify", "userId": "u1", "traits": [1]},
            "wrong_type",
            id="traits-are-a-list",
        ),
        pytest.param(
            {"type": "identify", "userId": "u1", "traits": {f"t{n}": n for n in range(513)}},
            "too_many_traits",
            id="513-traits",
        ),
        pytest.param(
            track(context={"externalIds": [{"type": "email", "id": str(n)} for n in range(40)]}),
            "too_many_identifiers",
            id="identifiers",
        ),
        pytest.param(
            track(context={"externalIds": [{"id": "1"}]}), "wrong_type", id="external-without-type"
        ),
        pytest.param(
            track(properties={"order_id": "o" * 129}), "id_too_long", id="long-order-number"
        ),
    ],
)
def test_invalid_event_is_rejected_with_its_reason(event, reason):
    refused = read(event)

    assert isinstance(refused, RejectedItem)
    assert refused.reason == reason
    assert json.loads(refused.raw) == event


def test_a_refused_item_is_found_again_by_its_message_id():
    refused = segment.read_event(b'{"messageId":"m7","type":"track","event":"x","a":NaN}', FRAME)

    assert isinstance(refused, RejectedItem)
    assert (refused.message_id, refused.reason) == ("m7", "not_finite")


@pytest.mark.parametrize(
    ("event", "identifiers"),
    [
        pytest.param(track(userId=42), {("user_id", "42")}, id="numbers-become-text"),
        pytest.param(track(userId=42.0), {("user_id", "42")}, id="whole-floats-too"),
        pytest.param(
            track(anonymousId="a1"), {("user_id", "u1"), ("anonymous_id", "a1")}, id="anonymous"
        ),
        pytest.param(
            track(context={"device": {"id": "d1"}, "traits": {"email": "noor@example.com"}}),
            {("user_id", "u1"), ("device", "d1"), ("email", "noor@example.com")},
            id="device-and-traits-of-the-context",
        ),
        pytest.param(
            {
                "type": "identify",
                "userId": "u1",
                "traits": {"email": "noor@example.com", "phone": 31612345678, "card": "LK 1"},
            },
            {
                ("user_id", "u1"),
                ("email", "noor@example.com"),
                ("phone", "31612345678"),
                ("card", "LK 1"),
            },
            id="traits-of-identify",
        ),
        pytest.param(
            {"type": "identify", "userId": "u1", "traits": {"email": ["no"], "phone": None}},
            {("user_id", "u1")},
            id="odd-traits-are-only-traits",
        ),
        pytest.param(
            {"type": "alias", "userId": "u1", "previousId": "a1"},
            {("user_id", "u1"), ("anonymous_id", "a1")},
            id="alias",
        ),
        pytest.param(
            {"type": "alias", "userId": "507f191e81", "previousId": "jen@email.com"},
            {("user_id", "507f191e81"), ("email", "jen@email.com")},
            id="alias-of-an-address",
        ),
        pytest.param(
            track(
                userId=None,
                context={
                    "externalIds": [
                        {"id": "+31612345678", "type": "phone"},
                        {"id": "c9", "type": "CRM id"},
                    ]
                },
            ),
            {("phone", "+31612345678"), ("external:crm_id", "c9")},
            id="external-ids",
        ),
        pytest.param(
            track(event="Order Completed", properties={"order_id": 1001, "card": "LK1"}),
            {("user_id", "u1"), ("order", "1001"), ("card", "LK1")},
            id="order-and-card",
        ),
        pytest.param(
            track(
                event="Order Completed",
                userId=None,
                anonymousId="a1",
                properties={"order_id": 1001, "email": "noor@mail.nl", "phone": "0612345678"},
            ),
            {
                ("anonymous_id", "a1"),
                ("email", "noor@mail.nl"),
                ("phone", "0612345678"),
                ("order", "1001"),
            },
            id="contacts-of-an-order",
        ),
        pytest.param(
            track(
                event="Order Completed",
                properties={"email": "noor@mail.nl", "phone": ""},
                context={"traits": {"email": "a@mail.nl", "phone": "0612345678"}},
            ),
            {("user_id", "u1"), ("email", "noor@mail.nl"), ("phone", "0612345678")},
            id="contacts-of-an-order-before-those-of-its-context",
        ),
        pytest.param(
            {
                "type": "identify",
                "userId": "u1",
                "traits": {"email": "noor@mail.nl"},
                "context": {"traits": {"email": "a@mail.nl"}},
            },
            {("user_id", "u1"), ("email", "noor@mail.nl")},
            id="traits-of-identify-before-those-of-its-context",
        ),
        pytest.param(
            track(event="Invite Sent", properties={"email": "friend@mail.nl"}),
            {("user_id", "u1")},
            id="address-of-a-friend",
        ),
    ],
)
def test_an_event_carries_its_identifiers(event, identifiers):
    assert set(incoming_event(event).identifiers) == identifiers


@pytest.mark.parametrize(
    ("event", "about"),
    [
        pytest.param(track(properties={"order_id": "A-1"}), "order:A-1", id="order"),
        pytest.param(track(properties={"order_id": " A-1 "}), "order:A-1", id="order-in-blanks"),
        pytest.param(track(properties={"order_id": " "}), "", id="blank-order"),
        pytest.param(track(properties={"orderId": 7}), "order:7", id="order-in-camel-case"),
        pytest.param(track(properties={"call_id": "c1"}), "call:c1", id="call"),
        pytest.param(track(properties={"visit_id": "v1"}), "visit:v1", id="visit"),
        pytest.param(
            track(event="Party Member Changed", properties={"reference": "sem"}),
            "member:sem",
            id="member",
        ),
        pytest.param(track(properties={"reference": "sem"}), "", id="a-reference-of-something"),
        pytest.param(track(properties="order_id"), "", id="odd-properties"),
        pytest.param(track(), "", id="nothing"),
    ],
)
def test_an_event_says_what_it_is_about(event, about):
    assert incoming_event(event).about == about


@pytest.mark.parametrize("own_traits", [{}, {"traits": None}, {"traits": []}, {"traits": {}}])
def test_identify_without_traits_has_those_of_its_context(own_traits):
    stated = {"email": "noor@mail.nl", "name": "Noor"}
    event = {"type": "identify", "userId": "u1", "context": {"traits": stated}, **own_traits}

    assert incoming_event(event).traits == stated


def test_traits_of_an_identify_count_before_those_of_its_context():
    context = {"traits": {"name": "Old name", "city": "Delft"}}
    event = {"type": "identify", "userId": "u1", "traits": {"name": "Noor"}, "context": context}

    assert incoming_event(event).traits == {"name": "Noor"}


def test_actor_is_read_from_trusted_sources_only():
    event = track(context={"actor": "staff:sam"})

    assert incoming_event(event, TRUSTED).actor == "staff:sam"
    assert incoming_event(event).actor == ""


def test_the_route_names_the_kind_and_the_body_keeps_it():
    incoming = incoming_event(
        {"userId": "u1", "event": "Ride Entered"}, FRAME._replace(kind="track")
    )

    assert incoming.kind == "track"
    assert msgspec.json.decode(incoming.body)["type"] == "track"


def test_a_key_in_the_body_is_not_stored():
    incoming = incoming_event(track(writeKey="sk_secret"), FRAME._replace(kind="track"))

    assert b"sk_secret" not in incoming.body
    assert incoming.body_hash == incoming_event(track()).body_hash


def test_context_of_the_batch_is_merged_into_each_event():
    frame = FRAME._replace(context={"ip": "::1", "locale": "nl"}, integrations={"All": True})

    body = msgspec.json.decode(incoming_event(track(context={"locale": "sv"}), frame).body)

    assert body["context"] == {"ip": "::1", "locale": "sv"}
    assert body["integrations"] == {"All": True}


def test_without_an_id_the_same_moment_is_the_same_event():
    dated = track(messageId=None, timestamp="2026-11-21T11:00:00Z")

    assert incoming_event(dated).message_id == incoming_event(dated).message_id != ""
    assert incoming_event(track(messageId=None)).message_id == ""


def test_rudderstack_s_time_is_read_and_corrected():
    frame = FRAME._replace(clock_error=timedelta(hours=-1))

    incoming = incoming_event(track(originalTimestamp="2026-11-21T12:30:00.000+00:00"), frame)

    assert incoming.occurred_at == datetime(2026, 11, 21, 11, 30, tzinfo=UTC)


def test_a_phone_that_was_offline_is_not_moved_to_now():
    library = {"library": {"name": "analytics-kotlin", "version": "1"}}
    event = track(timestamp="2026-11-01T12:00:00Z", context=library)

    incoming = incoming_event(event, FRAME._replace(clock_error=timedelta(days=20)))

    assert incoming.occurred_at == datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


SCALAR = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats()
VALUE = st.recursive(
    SCALAR, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3)
)
FIELDS = st.sampled_from(
    [
        "type",
        "messageId",
        "userId",
        "anonymousId",
        "previousId",
        "event",
        "name",
        "properties",
        "traits",
        "context",
        "timestamp",
        "originalTimestamp",
        "integrations",
        "writeKey",
        "sentAt",
    ]
)
INNER = st.sampled_from(
    [
        "device",
        "traits",
        "externalIds",
        "library",
        "order_id",
        "card",
        "id",
        "type",
        "email",
        "phone",
        "name",
        "actor",
    ]
)
DEEP = st.dictionaries(
    INNER, VALUE | st.lists(st.dictionaries(INNER, VALUE, max_size=3), max_size=3)
)


@given(st.dictionaries(FIELDS, VALUE | DEEP, max_size=9), st.sampled_from(sorted(segment.KINDS)))
def test_no_values_make_it_fail(event, kind):
    for frame in (FRAME, TRUSTED._replace(kind=kind), TRUSTED._replace(context={"ip": "::1"})):
        outcome = segment.read_event(json.dumps(event).encode("utf-8", "surrogatepass"), frame)

        assert isinstance(outcome, IncomingEvent | RejectedItem)
        if isinstance(outcome, IncomingEvent):
            assert outcome.identifiers
            assert outcome.occurred_at <= NOW
            assert isinstance(msgspec.json.decode(outcome.body), dict)


def test_empty_list_of_php_counts_as_no_traits():
    event = incoming_event({"type": "identify", "userId": "noor", "traits": []})

    assert event.traits == {}


def test_byte_order_mark_before_an_event_is_no_part_of_it():
    marked = segment.read_event(b"\xef\xbb\xbf" + json.dumps(track()).encode(), FRAME)

    assert isinstance(marked, IncomingEvent)
    assert marked.body_hash == incoming_event(track()).body_hash
