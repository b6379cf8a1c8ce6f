"""Keys of sources: `pk_…` is publishable and may only claim, `sk_…` is secret and trusted."""

import hashlib
import secrets
from typing import NamedTuple

from django.db import OperationalError

from customers import db, sql
from customers.access.authorization import KEY_PREFIXES
from customers.types import Sender

SCOPES = ("ingest", "read", "identify")
# The length of the part of a key that is shown again: enough to tell two keys apart.
PREFIX_LENGTH = 9


class KeysUnavailable(OperationalError):
    """The database is away, so a key cannot be checked; that is our fault, not the sender's."""


class NewKey(NamedTuple):
    text: str
    prefix: str
    digest: bytes


def generate_key(*, is_secret: bool) -> NewKey:
    """Generate a key of 192 random bits; only its digest is stored."""
    text = f"{'sk' if is_secret else 'pk'}_{secrets.token_urlsafe(24)}"
    return NewKey(text, text[:PREFIX_LENGTH], digest(text))


def digest(key: str) -> bytes:
    # A plain digest is enough for a random key; stretching is for what people make up.
    return hashlib.sha256(key.encode()).digest()


def find_sender(key: str) -> Sender | None:
    """Return the holder of this key, or None; raise KeysUnavailable where the database is away."""
    try:
        return _find_sender(key)
    except db.CONNECTION_ERRORS as error:
        raise KeysUnavailable("keys cannot be checked now") from error


def _find_sender(key: str) -> Sender | None:
    if not key.startswith(KEY_PREFIXES):
        return None
    row = db.row(sql.load("read_source_key"), {"digest": digest(key)})
    if row is None:
        return None
    key_id, is_stale, is_secret, scopes, source_id, name, channel, is_shared, region = row
    if is_stale:
        db.row(sql.load("update_key_last_used"), {"id": key_id})
    return Sender(
        source_id=source_id,
        name=name,
        channel=channel,
        is_trusted=is_secret and "identify" in scopes,
        is_shared=is_shared,
        default_region=region or None,
        scopes=frozenset(scopes),
        is_secret=is_secret,
    )
