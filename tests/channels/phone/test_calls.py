from functools import partial

import pytest

from channels.ingest.limits import InvalidEvent
from channels.phone import calls

RINGING = {
    "event": "newCall",
    "from": "31612345678",
    "to": "31201234567",
    "direction": "in",
    "callId": "c1",
}


CONTEXT = calls.CallerContext(source_id=7, region="NL")
parse_call = partial(calls.parse_call, caller_context=CONTEXT)
parse_twilio_call = partial(calls.parse_twilio_call, caller_context=CONTEXT)


def test_incoming_call_belongs_to_the_caller():
    call = parse_call(RINGING | {"user": ["sam", "lin"], "queue": "tickets"})

    assert call.number == "+31612345678"
    assert call.event["event"] == "Call Started"
    assert call.event["messageId"] == "c1:newCall"
    assert call.event["properties"] == {
        "call_id": "c1",
        "direction": "in",
        "from": "31612345678",
        "to": "31201234567",
        "queue": "tickets",
        "user": "sam",
        "number": "+31612345678",
    }
    assert call.event["context"] == {
        "externalIds": [{"type": "phone", "id": "+31612345678"}],
        "actor": "staff:sam",
    }


def test_outgoing_call_belongs_to_the_called_number():
    assert parse_call(RINGING | {"direction": "out"}).number == "+31201234567"


@pytest.mark.parametrize(
    ("event", "name"),
    [("newCall", "Call Started"), ("answer", "Call Answered"), ("hangup", "Call Ended")],
)
def test_each_step_has_its_name(event, name):
    assert parse_call(RINGING | {"event": event}).event["event"] == name


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({}, "unknown_event", id="nothing"),
        pytest.param(RINGING | {"event": "ring"}, "unknown_event", id="unknown"),
        pytest.param(RINGING | {"callId": None}, "wrong_call_id", id="no-id"),
        pytest.param(RINGING | {"callId": "c" * 100}, "wrong_call_id", id="long-id"),
        pytest.param(RINGING | {"callId": {"a": 1}}, "wrong_type", id="id-is-an-object"),
        pytest.param(RINGING | {"from": ["x"]}, "wrong_type", id="number-is-a-list"),
        pytest.param(RINGING | {"cause": "x" * 201}, "wrong_type", id="long-cause"),
    ],
)
def test_invalid_call_is_refused_with_its_reason(fields, reason):
    with pytest.raises(InvalidEvent) as refused:
        parse_call(fields)

    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "number", ["", "anonymous", "+266696687", "sip:anonymous@anonymous.invalid"]
)
def test_call_with_a_withheld_number_is_filed_on_an_identifier_of_the_call(number):
    call = parse_call(RINGING | {"from": number})

    assert call.number == ""
    assert "externalIds" not in call.event["context"]
    assert call.event["anonymousId"] == "call:7/c1"
    assert not {"from", "number"} & call.event["properties"].keys()


def test_call_of_an_extension_shows_its_number_and_is_filed_on_no_phone():
    call = parse_call(RINGING | {"from": "101"})

    assert call.event["anonymousId"] == "call:7/c1"
    assert call.event["properties"]["number"] == "101"


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ("ringing", "Call Started"),
        ("in-progress", "Call Answered"),
        ("completed", "Call Ended"),
        ("no-answer", "Call Ended"),
        ("something-new", "Call Ended"),
    ],
)
def test_call_status_of_twilio_becomes_an_event(status, name):
    fields = {
        "CallSid": "CA1",
        "From": "+31612345678",
        "To": "+31201234567",
        "Direction": "inbound",
        "CallStatus": status,
    }

    call = parse_twilio_call(fields)

    assert (call.event["event"], call.event["messageId"]) == (name, f"CA1:{status}")
    assert call.number == "+31612345678"


@pytest.mark.parametrize("event", ["answer", "hangup"])
def test_second_answer_or_hangup_of_a_call_has_its_own_message_id(event):
    first = RINGING | {"event": event, "user": "sam"}

    fields = (first, first, first | {"user": "lin"})
    ids = [parse_call(call).event["messageId"] for call in fields]

    assert ids[0] == ids[1] != ids[2]
    assert ids[0].startswith(f"c1:{event}:")


def test_steps_of_a_call_with_the_longest_id_have_different_message_ids():
    steps = [
        parse_call(RINGING | {"callId": "c" * calls.MAX_CALL_ID, "event": event})
        for event in ("newCall", "answer", "hangup")
    ]

    message_ids = {call.event["messageId"] for call in steps}
    assert len(message_ids) == 3
    assert max(map(len, message_ids)) <= 100
