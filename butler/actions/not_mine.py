"""Acts on the link "Not mine" of a message."""

from datetime import datetime
from typing import Literal

from butler.messages import refusal_links
from butler.models import Message
from customers.actions import address_refusals

# unknown: the link is none of ours, or too old. confirmed: the address is proved now.
type LinkState = Literal["unknown", "asked", "confirmed", "done"]
_KINDS = {"email": "email", "sms": "phone"}


def find_message(token: str, *, now: datetime) -> Message | None:
    """Return the message of a link; None if the link is changed, foreign or too old."""
    parts = refusal_links.read(token)
    if parts is None:
        return None
    message = Message.objects.filter(pk=parts.message_id).first()
    if message is None or message.channel not in _KINDS or not parts.is_for(message.address):
        return None
    return message if now < message.created_at + refusal_links.VALID_FOR else None


def refuse_address(token: str, *, now: datetime) -> LinkState:
    """Take the address of a message off the record that the message was about."""
    message = find_message(token, now=now)
    if message is None:
        return "unknown"
    is_refused = address_refusals.refuse(
        message.customer_id,
        kind=_KINDS[message.channel],
        value=message.address,
        message_id=message.pk,
        now=now,
    )
    return "done" if is_refused else "confirmed"
