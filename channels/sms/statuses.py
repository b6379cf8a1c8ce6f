"""What a provider of SMS says became of a message, as a report. Pure."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from butler.messages.delivery_reports import DeliveryReport

_KINDS = {
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
# Nobody has the number, or it is no phone that can read.
_DEAD = frozenset({"30005", "30006", "21211", "21614"})
_STOPPED = frozenset({"21610"})


def read(fields: Mapping[str, object], message: str, *, now: datetime) -> DeliveryReport | None:
    """Read a status callback; None: it says nothing that we know."""
    sid = str(fields.get("MessageSid") or fields.get("SmsSid") or "")
    status = str(fields.get("MessageStatus") or fields.get("SmsStatus") or "").lower()
    kind = _KINDS.get(status)
    if not sid or kind is None:
        return None
    code = str(fields.get("ErrorCode") or "")
    code = code if code.isascii() and code.isdecimal() and len(code) < 10 else ""
    if kind == "failed":
        kind = "stopped" if code in _STOPPED else "bounced" if code in _DEAD else "failed"
    return DeliveryReport(
        event_id=f"{sid}:{status}",
        kind=kind,
        occurred_at=now,
        provider_id=sid,
        message_id=_uuid(message),
        detail=code,
    )


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
