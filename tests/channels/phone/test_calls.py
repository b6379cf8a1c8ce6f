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


def test_incoming_call_belongs_to_the_caller():
    call = calls.parse_call(RINGING | {"user": ["sam", "lin"], "queue": "tickets"})

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
    }
    assert call.event["context"] == {
        "externalIds": [{"type": "phone", "id": "+31612345678"}],
        "actor": "staff:sam",
    }


def test_outgoing_call_belongs_to_the_called_number():
    assert calls.parse_call(RINGING | {"direction": "out"}).number == "+31201234567"


@pytest.mark.parametrize(
    ("event", "name"),
    [("newCall", "Call Started"), ("answer", "Call Answered"), ("hangup", "Call Ended")],
)
def test_each_step_has_its_name(event, name):
    assert calls.parse_call(RINGING | {"event": event}).event["event"] == name


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
        calls.parse_call(fields)

    assert refused.value.reason == reason


def test_withheld_number_is_no_identifier():
    call = calls.parse_call(RINGING | {"from": ""})

    assert call.number == ""
    assert "externalIds" not in call.event["context"]


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

    call = calls.parse_twilio_call(fields)

    assert (call.event["event"], call.event["messageId"]) == (name, f"CA1:{status}")
    assert call.number == "+31612345678"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        pytest.param("31612345678", "+31612345678", id="plus-left-out"),
        pytest.param("0031612345678", "+31612345678", id="two-zeros"),
        pytest.param("+31612345678", "+31612345678", id="plus"),
        pytest.param("0612345678", "0612345678", id="national"),
        pytest.param("101", "101", id="extension"),
        pytest.param("anonymous", "anonymous", id="withheld"),
    ],
)
def test_a_number_gets_its_plus_back(written, number):
    assert calls.to_international(written) == number


@pytest.mark.parametrize("event", ["answer", "hangup"])
def test_second_answer_or_hangup_of_a_call_has_its_own_message_id(event):
    first = RINGING | {"event": event, "user": "sam"}

    fields = (first, first, first | {"user": "lin"})
    ids = [calls.parse_call(call).event["messageId"] for call in fields]

    assert ids[0] == ids[1] != ids[2]
    assert ids[0].startswith(f"c1:{event}:")


def test_steps_of_a_call_with_the_longest_id_have_different_message_ids():
    steps = [
        calls.parse_call(RINGING | {"callId": "c" * calls.MAX_CALL_ID, "event": event})
        for event in ("newCall", "answer", "hangup")
    ]

    message_ids = {call.event["messageId"] for call in steps}
    assert len(message_ids) == 3
    assert max(map(len, message_ids)) <= 100
