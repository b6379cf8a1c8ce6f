"""Stores items that cannot become events, unchanged and with the reason."""

import logging
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from customers import sql
from customers.events import log
from customers.types import RejectedItem, Sender

_log = logging.getLogger(__name__)


def log_fault(sender: Sender, reason: str, fault: str) -> None:
    """Log that an event of this sender cannot be stored. The log line contains no values of it."""
    _log.error("an event of source %d is in quarantine as %s: %s", sender.source_id, reason, fault)


def store_rejected(
    rejected_items: Sequence[RejectedItem], sender: Sender, received_at: datetime
) -> None:
    """Store rejected items unchanged. An item that is sent again makes no second row."""
    sql.run(
        "insert_quarantined_items",
        {
            "source_id": sender.source_id,
            "evidence": sender.evidence,
            "received_at": received_at,
            "message_ids": [_storable(rejected.message_id) for rejected in rejected_items],
            "reasons": [rejected.reason for rejected in rejected_items],
            "details": [_storable(rejected.detail) for rejected in rejected_items],
            "raws": [rejected.raw for rejected in rejected_items],
            "is_secret": not sender.is_public,
            "digests": [_digest(sender, rejected.raw) for rejected in rejected_items],
        },
    )


def _storable(text: str) -> str:
    """Return text that Postgres accepts: no NUL, no lone surrogates, at most 1,000 characters."""
    return text[:1000].replace("\x00", "\ufffd").encode(errors="replace").decode()


def _digest(sender: Sender, raw: bytes) -> UUID:
    person = log.PUBLISHABLE_KEY if sender.is_public else b""
    whole = b"%d:%b" % (sender.source_id, raw)
    return UUID(bytes=blake2b(whole, digest_size=16, person=person).digest())
