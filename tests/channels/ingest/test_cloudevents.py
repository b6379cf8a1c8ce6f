import base64
import json
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings import http as binding
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from channels.ingest import cloudevents
from channels.ingest.segment import RequestContext
from customers.models import Event, QuarantinedItem
from customers.types import IncomingEvent, RejectedItem
from tests.channels.wire_client import send, source

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ENTERED = {
    "specversion": "1.0",
    "id": "7",
    "source": "/gates/2",
    "type": "example.park.gate.entered",
    "subject": "card:LK1",
    "time": "2026-11-21T11:00:00Z",
    "data": {"gate": 2},
}


def read(**fields):
    event = {name: value for name, value in (ENTERED | fields).items() if value is not None}
    return cloudevents.read_event(json.dumps(event).encode(), RequestContext(NOW))


def test_a_cloudevent_becomes_an_event_with_all_it_said():
    event = read()

    assert isinstance(event, IncomingEvent)
    assert (event.kind, event.name) == ("track", "example.park.gate.entered")
    assert event.message_id == "/gates/2|7"
    assert event.identifiers == (("card", "LK1"),)
    assert event.occurred_at == datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
    body = json.loads(event.body)
    assert body["properties"] == {"gate": 2}
    assert body["context"]["cloudevent"] == {k: v for k, v in ENTERED.items() if k != "data"}


@pytest.mark.parametrize(
    ("fields", "identifiers"),
    [
        pytest.param({"subject": "email:a@example.com"}, {("email", "a@example.com")}, id="email"),
        pytest.param({"subject": "external:crm:9"}, {("external:crm", "9")}, id="external"),
        pytest.param({"subject": "order:A-1"}, {("order", "A-1")}, id="order"),
        pytest.param(
            {"subject": "gate/2", "userid": "u1", "anonymousid": "a1"},
            {("user_id", "u1"), ("anonymous_id", "a1")},
            id="extension-attributes",
        ),
        pytest.param(
            {"subject": None, "data": {"order_id": 5}}, {("order", "5")}, id="in-the-data"
        ),
    ],
)
def test_identifiers_of_a_cloudevent_are_read(fields, identifiers):
    assert set(read(**fields).identifiers) == identifiers


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"specversion": "0.3"}, "unknown_version", id="old-version"),
        pytest.param({"specversion": None}, "unknown_version", id="no-version"),
        pytest.param({"id": None}, "missing_attribute", id="no-id"),
        pytest.param({"id": ""}, "missing_attribute", id="empty-id"),
        pytest.param({"source": 5}, "missing_attribute", id="source-is-a-number"),
        pytest.param({"type": None}, "missing_attribute", id="no-type"),
        pytest.param({"subject": "gate/2"}, "missing_ids", id="about-nobody"),
        pytest.param({"userid": ["u1"]}, "wrong_type", id="id-is-a-list"),
    ],
)
def test_invalid_cloudevent_is_rejected_with_its_reason(fields, reason):
    refused = read(**fields)

    assert isinstance(refused, RejectedItem)
    assert refused.reason == reason


def test_long_addresses_still_make_an_id():
    first, second = read(source="https://example.com/" + "x" * 200), read(source="/" + "y" * 300)

    assert len(first.message_id) <= 100
    assert first.message_id != second.message_id


def test_source_and_id_cannot_be_mixed_up():
    assert read(source="/a", id="b|c").message_id != read(source="/a|b", id="c").message_id


@pytest.mark.parametrize(
    "payload", [[1, 2], "text", 5, None], ids=["list", "text", "number", "none"]
)
def test_any_data_is_kept(payload):
    event = ENTERED | {"data": payload}

    incoming = cloudevents.read_event(json.dumps(event).encode(), RequestContext(NOW))

    assert json.loads(incoming.body)["properties"] == {"data": payload}


VALUE = st.none() | st.text(max_size=9) | st.integers() | st.lists(st.text(), max_size=2)


def in_base64(text, content_type="application/json"):
    encoded = base64.b64encode(text.encode()).decode()
    return read(data=None, data_base64=encoded, datacontenttype=content_type)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/JSON; charset=utf-8", "application/vnd.park+json"],
)
def test_json_object_in_base64_is_the_data_of_the_event(content_type):
    event = in_base64('{"gate": 2, "order_id": "A-1"}', content_type)

    assert event.about == "order:A-1"
    body = json.loads(event.body)
    assert body["properties"] == {"gate": 2, "order_id": "A-1"}
    assert "data_base64" not in body["context"]["cloudevent"]


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        ('{"gate": 2}', "text/plain"),
        ('{"gate": 2}', None),
        ("[2]", "application/json"),
        ("", "application/json"),
    ],
    ids=repr,
)
def test_other_data_in_base64_stays_as_it_is(text, content_type):
    body = json.loads(in_base64(text, content_type).body)

    assert body["properties"] == {}
    assert body["context"]["cloudevent"]["data_base64"] == base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("text", "reason"),
    [('{"a": ' * 30 + "1" + "}" * 30, "too_deep"), ('{"a": 1, "a": 2}', "doubled_key"), ('{"a": ', "malformed"),
     ('{"a": "\\u0000"}', "nul_character")],
    ids=repr,
)  # fmt: skip
def test_json_in_base64_has_the_limits_of_other_json(text, reason):
    assert in_base64(text).reason == reason


def test_text_that_is_not_base64_is_malformed():
    rejected = read(data=None, data_base64="%%%", datacontenttype="application/json")

    assert rejected.reason == "malformed"


FIELDS = st.sampled_from([*ENTERED, "userid", "email", "card", "data_base64"])


@given(st.dictionaries(FIELDS, VALUE | st.dictionaries(FIELDS, VALUE, max_size=3)))
def test_no_values_make_it_fail(fields):
    outcome = cloudevents.read_event(json.dumps(ENTERED | fields).encode(), RequestContext(NOW))

    assert isinstance(outcome, IncomingEvent | RejectedItem)


# Through the reference library, to the running server ---------------------------------


def reference(number: int) -> CloudEvent:
    attributes = {name: value for name, value in ENTERED.items() if name != "data"}
    attributes |= {"id": str(number), "time": datetime(2026, 11, 21, 11, 0, tzinfo=UTC)}
    return CloudEvent(attributes, {"gate": number})


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", ["structured", "binary"])
def test_the_reference_library_is_understood(running, mode):
    _, key = source(is_secret=True)
    write = binding.to_structured if mode == "structured" else binding.to_binary
    message = write(reference(1), JSONFormat())
    body = message.body if isinstance(message.body, bytes) else message.body.encode()

    responses = [send(running.web, "/v1/events", body, message.headers, key=key) for _ in range(2)]

    assert [response.counts for response in responses] == [(1, 0, 0), (0, 1, 0)]
    stored = Event.objects.get()
    assert stored.body["properties"] == {"gate": 1}
    assert stored.occurred_at == datetime(2026, 11, 21, 11, 0, tzinfo=UTC)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_batch_may_hold_a_bad_one(running):
    _, key = source(is_secret=True)
    batch = [ENTERED | {"id": "1"}, {"specversion": "1.0"}, ENTERED | {"id": "2"}]
    headers = {"Content-Type": "application/cloudevents-batch+json"}

    response = send(running.web, "/v1/events/", batch, headers, key=key)

    assert response.counts == (2, 0, 1)
    assert QuarantinedItem.objects.get().reason == "missing_attribute"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("body", "content_type", "properties"),
    [
        pytest.param(b"\xff\x00", "image/png", None, id="bytes"),
        pytest.param(b"", "", {}, id="nothing"),
        pytest.param(b"[1]", "application/vnd.x+json", {"data": [1]}, id="json-of-a-kind"),
    ],
)
def test_binary_mode_takes_any_data(running, body, content_type, properties):
    _, key = source(is_secret=True)
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/x",
        "ce-type": "n%C3%A9",
        "ce-userid": "u1",
        "Content-Type": content_type,
    }

    response = send(running.web, "/v1/events", body, headers, key=key)

    assert response.counts == (1, 0, 0)
    stored = Event.objects.get()
    assert stored.name == "né"
    if properties is None:
        attributes = stored.body["context"]["cloudevent"]
        assert base64.b64decode(attributes["data_base64"]) == body
    else:
        assert stored.body["properties"] == properties


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_handshake_of_a_webhook_is_answered(running):
    headers = {"WebHook-Request-Origin": "events.example.com"}

    response = send(running.web, "/v1/events", None, headers, method="OPTIONS")

    assert response.headers["webhook-allowed-origin"] == "events.example.com"
