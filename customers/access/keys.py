"""API keys of sources: `pk_…` is publishable and writes claims only, `sk_…` is secret."""

import hashlib
import secrets
from typing import NamedTuple

from django.db import OperationalError

from customers import db, sql
from customers.access.authorization import KEY_PREFIXES
from customers.types import Sender, owns_its_space

SCOPES = ("ingest", "read", "identify")
# A key with this scope reads for one account at a time, as the customer of the account would.
READ_FOR = "read-for"
# The length of the part of a key that pages show, so that staff can tell two keys apart.
PREFIX_LENGTH = 9


class KeysUnavailable(OperationalError):
    """Butler cannot check a key because the database is unavailable."""


class NewKey(NamedTuple):
    """A generated key: its text, the part that pages show, and the digest that is stored."""

    text: str
    prefix: str
    digest: bytes


def generate_key(*, is_secret: bool) -> NewKey:
    """Generate a key of 192 random bits. The database stores only its digest."""
    text = f"{'sk' if is_secret else 'pk'}_{secrets.token_urlsafe(24)}"
    return NewKey(text, text[:PREFIX_LENGTH], digest(text))


def digest(key: str) -> bytes:
    """Return the digest that the database stores instead of a random key or ticket."""
    # A plain digest is enough for a random key. Only passwords that people choose need stretching.
    return hashlib.sha256(key.encode()).digest()


def find_sender(key: str) -> Sender | None:
    """Return the sender of this key, or None. Raise KeysUnavailable if the database is down."""
    try:
        return _find_sender(key)
    except db.CONNECTION_ERRORS as error:
        raise KeysUnavailable("the database that holds the keys is unavailable") from error


def _find_sender(key: str) -> Sender | None:
    if not key.startswith(KEY_PREFIXES):
        return None
    row = db.row(sql.load("read_source_key"), {"digest": digest(key)})
    if row is None:
        return None
    key_id, is_stale, is_secret, scopes, source_id, name, channel, is_shared, region, *space = row
    addresses, space_id, space_name, has_several_ids, has_yearly_orders = space
    if is_stale:
        db.row(sql.load("update_key_last_used"), {"id": key_id})
    is_trusted = is_secret and "identify" in scopes
    return Sender(
        source_id=source_id,
        name=name,
        channel=channel,
        is_trusted=is_trusted,
        is_shared=is_shared,
        default_region=region or None,
        scopes=frozenset(scopes),
        is_secret=is_secret,
        space_id=space_id,
        space=space_name,
        has_several_ids=has_several_ids,
        addresses=addresses,
        has_yearly_orders=has_yearly_orders,
        is_owner=owns_its_space(channel=channel, is_shared=is_shared, is_trusted=is_trusted),
    )
