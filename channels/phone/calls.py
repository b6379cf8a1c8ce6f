"""Read the webhooks of telephone systems as events. Pure.

There are two formats: the format of Zammad's CTI (newCall, answer, hangup), which many telephone
systems send, and Twilio's voice webhook and status callbacks.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from channels.ingest import limits
from channels.ingest.limits import InvalidEvent
from channels.ingest.segment import MAX_MESSAGE_ID
from channels.phone.caller_numbers import OtherParty, read_other_party

MAX_CALL_ID = 90
_MAX_TEXT = 200
_EVENT_NAMES = {"newCall": "Call Started", "answer": "Call Answered", "hangup": "Call Ended"}
_INBOUND = frozenset({"in", "inbound"})
_TWILIO_EVENT_NAMES = {
    "queued": "Call Started",
    "initiated": "Call Started",
    "ringing": "Call Started",
    "in-progress": "Call Answered",
    "answered": "Call Answered",
}


class CallerContext(NamedTuple):
    """The source that reports a call, and the country of numbers without a country code."""

    source_id: int
    region: str


class CallEvent(NamedTuple):
    """One step of a call: the event, and the number of the other party in the form of E.164."""

    event: dict[str, Any]
    # Empty if the number is withheld, or if it is no telephone number.
    number: str


def parse_call(fields: Mapping[str, Any], caller_context: CallerContext) -> CallEvent:
    """Return the event of a newCall, answer or hangup. Raises InvalidEvent."""
    stage = _text_field(fields, "event")
    if stage not in _EVENT_NAMES:
        raise InvalidEvent("unknown_event", "event must be newCall, answer or hangup")
    property_names = {"from", "to", "cause", "queue", "subject", "answeringNumber"}
    return _call_event(
        caller_context,
        call_id=_text_field(fields, "callId"),
        stage=stage,
        # A transferred call is answered again, and each telephone of it can end.
        may_repeat=stage in ("answer", "hangup"),
        name=_EVENT_NAMES[stage],
        direction=_text_field(fields, "direction") or "in",
        user=_user(fields),
        properties={
            name: text for name in sorted(property_names) if (text := _text_field(fields, name))
        },
    )


def parse_twilio_call(fields: Mapping[str, Any], caller_context: CallerContext) -> CallEvent:
    """Return the event of a Twilio request about a call. Raises InvalidEvent."""
    status = _text_field(fields, "CallStatus") or "ringing"
    name = _TWILIO_EVENT_NAMES.get(status, "Call Ended")
    properties = {"from": _text_field(fields, "From"), "to": _text_field(fields, "To")}
    if name == "Call Ended":
        properties["cause"] = status
        properties["duration"] = _text_field(fields, "CallDuration")
    return _call_event(
        caller_context,
        call_id=_text_field(fields, "CallSid"),
        stage=status,
        name=name,
        direction=_text_field(fields, "Direction") or "inbound",
        user="",
        properties={key: text for key, text in properties.items() if text},
    )


def _call_event(
    caller_context: CallerContext,
    *,
    call_id: str,
    stage: str,
    name: str,
    direction: str,
    user: str,
    properties: dict[str, str],
    may_repeat: bool = False,
) -> CallEvent:
    if not 0 < len(call_id) <= MAX_CALL_ID:
        message = f"the id of a call must have 1 to {MAX_CALL_ID} characters"
        raise InvalidEvent("wrong_call_id", message)
    is_inbound = direction in _INBOUND
    properties = {"call_id": call_id, "direction": "in" if is_inbound else "out", **properties}
    if user:
        properties["user"] = user
    party = read_other_party(
        properties.get("from" if is_inbound else "to", ""), caller_context.region
    )
    event: dict[str, Any] = {
        "type": "track",
        "event": name,
        "messageId": _message_id(call_id, stage, properties if may_repeat else {}),
        "properties": _with_party(properties, party, "from" if is_inbound else "to"),
        "context": {"actor": f"staff:{user}"} if user else {},
    }
    if party.number:
        event["context"]["externalIds"] = [{"type": "phone", "id": party.number}]
    else:
        # The call is filed on an identifier of its own, and staff see it.
        event["anonymousId"] = f"call:{caller_context.source_id}/{call_id}"
    return CallEvent(event, party.number)


def _with_party(properties: dict[str, str], party: OtherParty, side: str) -> dict[str, str]:
    """Return the properties with the number of the other party, or else the text that staff see.

    A withheld number leaves neither: the words of telephone systems for it mean nothing to staff.
    """
    shown = {"number": party.number or party.text, "display_name": party.display_name}
    if not shown["number"]:
        properties = {name: text for name, text in properties.items() if name != side}
    return properties | {name: text for name, text in shown.items() if text}


def _message_id(call_id: str, stage: str, properties: dict[str, str]) -> str:
    """Return the same id for a request that is sent again, and another one for other properties."""
    message_id = f"{call_id}:{stage}"
    if properties:
        message_id += f":{_digest(repr(sorted(properties.items())), size=6)}"
    if len(message_id) <= MAX_MESSAGE_ID:
        return message_id
    return f"call-{_digest(message_id, size=20)}"


def _digest(text: str, *, size: int) -> str:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=size).hexdigest()


def _user(fields: Mapping[str, Any]) -> str:
    user = fields.get("user", fields.get("user[]"))
    if isinstance(user, list):
        user = user[0] if user else ""
    return _text_field({"user": user}, "user")


def _text_field(fields: Mapping[str, Any], name: str) -> str:
    return limits.text_field(fields, name, max_length=_MAX_TEXT)
