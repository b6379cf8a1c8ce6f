"""Mail that comes back: what it reports of which message. Pure.

Only what says of itself that it is a report counts, in the two forms that have a standard: a
delivery status (RFC 3464) and a complaint (RFC 5965). Somebody's holiday greeting is neither.
"""

import email
import re
from collections.abc import Iterator
from datetime import datetime
from email.message import Message
from uuid import UUID

from butler.messages.delivery_reports import DeliveryReport
from channels.email import codes

_ACTIONS = {
    "failed": "failed",
    "delayed": "deferred",
    "delivered": "delivered",
    "relayed": "accepted",
    "expanded": "accepted",
}
# What mailbox providers call it when somebody presses the button; "not-spam" is no complaint.
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list", "other", "virus"})
# Where mail servers write whom a letter was really for.
_ENVELOPE = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
_MESSAGE_ID = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@([^>\s]+)>", re.I)


def read(
    raw: bytes, *, bounce_address: str, domain: str, now: datetime, recipient: str = ""
) -> list[DeliveryReport]:
    """Read a letter that came back; what is no report, or not about us, gives nothing.

    bounce_address: where they come back to, "bounce@larkmoor.example"
    domain: of our Message-IDs
    recipient: whom the mail server took it for, where it says so
    """
    letter = email.message_from_bytes(raw)
    if letter.get_content_type() != "multipart/report":
        return []
    parts = list(letter.walk())
    complaints, statuses = _blocks(parts, "feedback-report"), _blocks(parts, "delivery-status")
    if not complaints and not statuses:
        return []
    addresses = [recipient, *_headers(letter, _ENVELOPE)]
    addresses += [text for block in complaints for text in _headers(block, ("Original-Mail-From",))]
    message_id = _by_address(addresses, bounce_address) or _by_message_id(parts, domain)
    if not message_id:
        return []
    kinds = dict.fromkeys([*_complained(complaints), *_statuses(statuses)])
    return [
        DeliveryReport(f"{message_id}:{kind}:{code}", kind, now, message_id=message_id, detail=code)
        for kind, code in kinds
    ]


def _blocks(parts: list[Message], kind: str) -> list[Message]:
    """Return the blocks of headers inside the parts of this kind."""
    inside = [part.get_payload() for part in parts if part.get_content_type() == f"message/{kind}"]
    lists = [payload for payload in inside if isinstance(payload, list)]
    return [block for blocks in lists for block in blocks if isinstance(block, Message)]


def _complained(blocks: list[Message]) -> Iterator[tuple[str, str]]:
    for block in blocks:
        for kind in _headers(block, ("Feedback-Type",)):
            if kind.strip().lower() in _COMPLAINTS:
                yield "complained", ""


def _statuses(blocks: list[Message]) -> Iterator[tuple[str, str]]:
    for block in blocks:
        action = "".join(_headers(block, ("Action",))[:1]).strip().lower()
        if action not in _ACTIONS:
            continue
        kind, code = _ACTIONS[action], _code(block)
        yield ("bounced" if kind == "failed" and codes.is_dead(code) else kind), code


def _code(block: Message) -> str:
    """Return the most telling of the codes: "5.0.0" says less than what the other side said."""
    told = codes.find(" ".join(_headers(block, ("Status",))))
    said = codes.find(" ".join(_headers(block, ("Diagnostic-Code",))))
    return said if said and told.endswith(".0.0") else told or said


def _by_address(addresses: list[str], bounce_address: str) -> str:
    """Return the message that is named in the address it came back to."""
    name, _, domain = bounce_address.rpartition("@")
    if not name:
        return ""
    pattern = rf"{re.escape(name)}\+([0-9a-f]{{32}})@{re.escape(domain)}"
    found = [re.search(pattern, text, re.IGNORECASE) for text in addresses]
    return next((str(UUID(one[1])) for one in found if one), "")


def _by_message_id(parts: list[Message], domain: str) -> str:
    """Return the message whose letter, or its headers, was sent back with the report."""
    for part in parts[1:]:
        texts = _headers(part, ("Message-ID",))
        # Headers alone come as text.
        if part.get_content_type() == "text/rfc822-headers":
            texts.append(str(part.get_payload()))
        for text in texts:
            found = _MESSAGE_ID.search(text)
            if found and found[2].lower() == domain.lower():
                return str(UUID(found[1]))
    return ""


def _headers(block: Message, names: tuple[str, ...]) -> list[str]:
    return [str(value) for name in names for value in block.get_all(name, [])]
