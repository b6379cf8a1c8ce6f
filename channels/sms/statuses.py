"""Read Twilio's status callbacks as delivery reports. Pure."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from butler.messages.delivery_reports import DeliveryReport

_KIND_BY_STATUS = {
    "accepted": "accepted",
    "scheduled": "accepted",
    "queued": "accepted",
    "sending": "accepted",
    "sent": "accepted",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "rejected",
}
# The error codes for a number that does not exist or cannot receive SMS.
_DEAD_NUMBER_CODES = frozenset({"30005", "30006", "21211", "21614"})
_STOPPED_CODES = frozenset({"21610"})


def parse_report(
    fields: Mapping[str, object], message_id: str, *, now: datetime
) -> DeliveryReport | None:
    """Return the delivery report of a status callback; None for unknown statuses."""
    sid = str(fields.get("MessageSid") or fields.get("SmsSid") or "")
    status = str(fields.get("MessageStatus") or fields.get("SmsStatus") or "").lower()
    kind = _KIND_BY_STATUS.get(status)
    if not sid or kind is None:
        return None
    code = _error_code(fields)
    return DeliveryReport(
        event_id=f"{sid}:{status}",
        kind=_failure_kind(code) if kind == "failed" else kind,
        occurred_at=now,
        provider_id=sid,
        message_id=_parse_uuid(message_id),
        detail=code,
    )


def _error_code(fields: Mapping[str, object]) -> str:
    """Return Twilio's error code; empty if it is missing or malformed."""
    code = str(fields.get("ErrorCode") or "")
    return code if code.isascii() and code.isdecimal() and len(code) < 10 else ""


def _failure_kind(code: str) -> str:
    if code in _STOPPED_CODES:
        return "stopped"
    return "bounced" if code in _DEAD_NUMBER_CODES else "failed"


def _parse_uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
