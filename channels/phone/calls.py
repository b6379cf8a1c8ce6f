"""What telephone systems say about a call, written as events. Pure.

Two shapes: the one that Zammad's CTI takes (newCall, answer, hangup; many telephone systems
send it) and Twilio's voice webhook and status callbacks.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from channels.ingest.limits import InvalidEvent

MAX_CALL_ID = 100
_NAMES = {"newCall": "Call Started", "answer": "Call Answered", "hangup": "Call Ended"}
_INBOUND = frozenset({"in", "inbound"})
_TWILIO_NAMES = {
    "queued": "Call Started",
    "initiated": "Call Started",
    "ringing": "Call Started",
    "in-progress": "Call Answered",
    "answered": "Call Answered",
}


class Call(NamedTuple):
    """One step of a call: the event, and the number of who is on the other side."""

    event: dict[str, Any]
    number: str
    user: str = ""


def read(fields: Mapping[str, Any]) -> Call:
    """Read newCall, answer or hangup. Raises InvalidEvent."""
    stage = _text(fields, "event")
    if stage not in _NAMES:
        raise InvalidEvent("unknown_event", "event is newCall, answer or hangup")
    known = {"from", "to", "cause", "queue", "subject", "answeringNumber"}
    return _call(
        call_id=_text(fields, "callId"),
        stage=stage,
        name=_NAMES[stage],
        direction=_text(fields, "direction") or "in",
        user=_user(fields),
        facts={name: text for name in sorted(known) if (text := _text(fields, name))},
    )


def read_twilio(fields: Mapping[str, Any]) -> Call:
    """Read a request of Twilio's about a call. Raises InvalidEvent."""
    status = _text(fields, "CallStatus") or "ringing"
    name = _TWILIO_NAMES.get(status, "Call Ended")
    facts = {"from": _text(fields, "From"), "to": _text(fields, "To")}
    if name == "Call Ended":
        facts["cause"] = status
        facts["duration"] = _text(fields, "CallDuration")
    return _call(
        call_id=_text(fields, "CallSid"),
        stage=status,
        name=name,
        direction=_text(fields, "Direction") or "inbound",
        user="",
        facts={key: text for key, text in facts.items() if text},
    )


def international(number: str) -> str:
    """Give a number its plus, which telephone systems like to leave out.

    Eleven digits and more that do not start with a zero are a number with its country's code.
    """
    if number.startswith("00"):
        return f"+{number[2:]}"
    if number.isdecimal() and not number.startswith("0") and len(number) > 10:
        return f"+{number}"
    return number


def _call(
    *, call_id: str, stage: str, name: str, direction: str, user: str, facts: dict[str, str]
) -> Call:
    if not 0 < len(call_id) <= MAX_CALL_ID - len(stage) - 1:
        raise InvalidEvent("wrong_call_id", "a call has an id of at most 80 characters")
    is_inbound = direction in _INBOUND
    number = international(facts.get("from" if is_inbound else "to", ""))
    properties = {"call_id": call_id, "direction": "in" if is_inbound else "out", **facts}
    context: dict[str, Any] = {"externalIds": [{"type": "phone", "id": number}]}
    if user:
        properties["user"] = user
        context["actor"] = f"staff:{user}"
    event = {
        "type": "track",
        "event": name,
        "messageId": f"{call_id}:{stage}",
        "properties": properties,
        "context": context if number else {},
    }
    return Call(event, number, user)


def _user(fields: Mapping[str, Any]) -> str:
    user = fields.get("user", fields.get("user[]"))
    if isinstance(user, list):
        user = user[0] if user else ""
    return _text({"user": user}, "user")


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if type(value) is int:
        return str(value)
    if type(value) is not str or len(value) > 200:
        raise InvalidEvent("wrong_type", f"{name} is text of at most 200 characters")
    return value.strip()
