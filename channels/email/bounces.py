"""Parse bounces and complaints from returned mail. Pure.

The parser accepts only the two standard report formats: delivery status (RFC 3464) and complaint
(RFC 5965). It ignores other mail, such as automatic holiday replies.
"""

import email
import re
from collections.abc import Iterator
from datetime import datetime
from email.message import Message
from uuid import UUID

from butler.messages.delivery_reports import DeliveryReport
from channels.email import status_codes

_KIND_BY_ACTION = {
    "failed": "failed",
    "delayed": "deferred",
    "delivered": "delivered",
    "relayed": "accepted",
    "expanded": "accepted",
}
# The Feedback-Type values of complaints. "not-spam" is not a complaint.
_COMPLAINT_TYPES = frozenset({"abuse", "fraud", "opt-out", "opt-out-list", "other", "virus"})
# The headers in which mail servers write the real recipient of a mail.
_RECIPIENT_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
_MESSAGE_ID = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@([^>\s]+)>", re.I)


def parse_reports(
    raw: bytes, *, bounce_address: str, domain: str, now: datetime, recipient: str = ""
) -> list[DeliveryReport]:
    """Return the delivery reports in a returned mail; none if it reports on no message of ours.

    bounce_address: the return address of our mail, such as "bounce@larkmoor.example"
    domain: the domain of our Message-IDs
    recipient: the recipient of this mail according to the mail server, if known
    """
    mail = email.message_from_bytes(raw)
    if mail.get_content_type() != "multipart/report":
        return []
    parts = list(mail.walk())
    complaints = _header_blocks(parts, "feedback-report")
    statuses = _header_blocks(parts, "delivery-status")
    if not complaints and not statuses:
        return []
    addresses = [recipient, *_headers(mail, _RECIPIENT_HEADERS), *_senders(complaints)]
    message_id = _message_id_in_address(addresses, bounce_address)
    message_id = message_id or _message_id_in_parts(parts, domain)
    if not message_id:
        return []
    kinds = dict.fromkeys([*_complaint_kinds(complaints), *_status_kinds(statuses)])
    return [
        DeliveryReport(f"{message_id}:{kind}:{code}", kind, now, message_id=message_id, detail=code)
        for kind, code in kinds
    ]


def _header_blocks(parts: list[Message], kind: str) -> list[Message]:
    """Return the blocks of headers inside the parts of this kind."""
    payloads = [
        part.get_payload() for part in parts if part.get_content_type() == f"message/{kind}"
    ]
    nested_blocks = [payload for payload in payloads if isinstance(payload, list)]
    return [block for blocks in nested_blocks for block in blocks if isinstance(block, Message)]


def _senders(complaints: list[Message]) -> list[str]:
    """Return the sender addresses of the mails that the complaints are about."""
    return [text for block in complaints for text in _headers(block, ("Original-Mail-From",))]


def _complaint_kinds(blocks: list[Message]) -> Iterator[tuple[str, str]]:
    for block in blocks:
        for kind in _headers(block, ("Feedback-Type",)):
            if kind.strip().lower() in _COMPLAINT_TYPES:
                yield "complained", ""


def _status_kinds(blocks: list[Message]) -> Iterator[tuple[str, str]]:
    for block in blocks:
        action = "".join(_headers(block, ("Action",))[:1]).strip().lower()
        if action not in _KIND_BY_ACTION:
            continue
        kind, code = _KIND_BY_ACTION[action], _status_code(block)
        yield ("bounced" if kind == "failed" and status_codes.is_dead_address(code) else kind), code


def _status_code(block: Message) -> str:
    """Return the most specific code: the diagnostic code replaces a general "5.0.0"."""
    status_code = status_codes.find_code(" ".join(_headers(block, ("Status",))))
    diagnostic_code = status_codes.find_code(" ".join(_headers(block, ("Diagnostic-Code",))))
    return (
        diagnostic_code
        if diagnostic_code and status_code.endswith(".0.0")
        else status_code or diagnostic_code
    )


def _message_id_in_address(addresses: list[str], bounce_address: str) -> str:
    """Return the message id in the return address, or an empty text."""
    name, _, domain = bounce_address.rpartition("@")
    if not name:
        return ""
    pattern = rf"{re.escape(name)}\+([0-9a-f]{{32}})@{re.escape(domain)}"
    matches = [re.search(pattern, text, re.IGNORECASE) for text in addresses]
    return next((str(UUID(match[1])) for match in matches if match), "")


def _message_id_in_parts(parts: list[Message], domain: str) -> str:
    """Return the message id from the returned mail or headers in the report, or an empty text."""
    for part in parts[1:]:
        texts = _headers(part, ("Message-ID",))
        # A part with only headers has them as text.
        if part.get_content_type() == "text/rfc822-headers":
            texts.append(str(part.get_payload()))
        for text in texts:
            match = _MESSAGE_ID.search(text)
            if match and match[2].lower() == domain.lower():
                return str(UUID(match[1]))
    return ""


def _headers(block: Message, names: tuple[str, ...]) -> list[str]:
    return [str(value) for name in names for value in block.get_all(name, [])]
