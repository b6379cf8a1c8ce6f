"""Check whether a viewer may read a stream, with rows that the caller has read."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare, salted_hmac

from customers.access.account_proofs import AccountProof
from customers.identity.openable_graph import CHOSEN, PROVED, SessionProofs
from customers.types import OpenedRecord

# Django's salt for the hash with which a session proves the password of its login.
_AUTH_HASH_SALT = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"


class StreamRight(StrEnum):
    """The right by which a viewer reads a stream: the viewer's own record, or every record."""

    OWN = "own"
    EVERY = "every"


class SessionLogin(NamedTuple):
    """A row of read_session_logins.sql."""

    session_key: str
    session_data: str
    user_id: int
    password: str
    reads_every: bool
    # The record of the login, and the kind and the value of the address that the login proved.
    record_id: str | None
    address_kind: str
    address: str
    # The live record of that record, and the version of its grouping.
    live_id: str | None
    grouping_version: int | None
    # The name of the login, with which the access log names staff.
    name: str = ""


class StreamOpening(NamedTuple):
    """The customer whose events a session reads, and which of them."""

    customer_id: str | None
    # The part of the record that the session opens; None for the whole record.
    part: OpenedRecord | None
    # The session and the groupings on which this depends. If they are unchanged, so is the opening.
    basis: tuple[object, ...]
    # The record is another one than that of the login, such as that of a chosen account. Its log does
    # not tell of each change of what the session opens.
    is_beside: bool = False
    # The session opens several records, and the customer has not chosen one.
    has_choice: bool = False


class Viewer(msgspec.Struct):
    """The reader of a stream, and the session, key or identity token that authenticated it."""

    session_key: str = ""
    user_id: int = 0
    key_id: int = 0
    # Of a key its source, and of staff their name, as the access log names them; empty for customers.
    reader: str = ""
    reads_every: bool = False
    # For the reader of one account: the proof, or None if its number is no account.
    is_of_account: bool = False
    account: AccountProof | None = None
    # None for keys and staff, and before the first check.
    opening: StreamOpening | None = None
    # The digest of session and password at the last check. If it is unchanged, no new check is
    # needed; and memory holds neither secret.
    session_digest: bytes = b""

    @property
    def customer_id(self) -> str | None:
        """The customer whose events a session reads; None if it opens no record."""
        return self.opening.customer_id if self.opening else None

    @property
    def part(self) -> OpenedRecord | None:
        """The part of the record that the session opens; None for the whole record."""
        return self.opening.part if self.opening else None

    @property
    def is_beside(self) -> bool:
        """True if the session reads another record than that of its login."""
        return self.opening is not None and self.opening.is_beside

    @property
    def has_choice(self) -> bool:
        """True if the customer has to choose one of several records first."""
        return self.opening is not None and self.opening.has_choice

    @property
    def proof(self) -> str | AccountProof | None:
        """The proof of a customer: the session, or that of an account."""
        return self.account or self.session_key or None

    @property
    def name(self) -> str:
        """The unique name of the viewer: `key:` or `user:`, and the id."""
        return f"key:{self.key_id}" if self.key_id else f"user:{self.user_id}"


class StreamAccess(NamedTuple):
    """Whether a stream may continue, and the customer whose events it shows."""

    is_allowed: bool
    customer_id: str = ""


def session_user(session_data: str) -> int | None:
    """Return the user id of a session; None if no user is signed in or the signature is wrong."""
    engine = import_module(settings.SESSION_ENGINE)
    user_id = engine.SessionStore(None).decode(session_data).get(SESSION_KEY)
    text = str(user_id)
    return int(text) if text.isascii() and text.isdigit() else None


def session_proofs(login: SessionLogin) -> tuple[SessionProofs, int | None]:
    """Return the proofs of a session, and the identifier of the record that the customer chose."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(None).decode(login.session_data)
    record_id = UUID(login.record_id) if login.record_id else None
    proved_ids = tuple(session.get(PROVED, ()))
    address = login.address_kind, login.address
    return SessionProofs(record_id, address, proved_ids), session.get(CHOSEN)


def viewer_of(login: SessionLogin) -> Viewer | None:
    """Return the viewer of a session; None if the password changed since the sign-in."""
    engine = import_module(settings.SESSION_ENGINE)
    session = engine.SessionStore(None).decode(login.session_data)
    if session.get(SESSION_KEY) != str(login.user_id):
        return None
    if not _matches_password(login.password, password_hash=session.get(HASH_SESSION_KEY) or ""):
        return None
    return Viewer(
        session_key=login.session_key,
        user_id=login.user_id,
        reader=f"staff:{login.name or login.user_id}" if login.reads_every else "",
        reads_every=login.reads_every,
        session_digest=session_digest(login),
    )


def _matches_password(password: str, *, password_hash: str) -> bool:
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        expected = salted_hmac(_AUTH_HASH_SALT, password, secret=secret, algorithm="sha256")
        if constant_time_compare(password_hash, expected.hexdigest()):
            return True
    return False


def session_digest(login: SessionLogin) -> bytes:
    """Return a digest of the session and its password, so that memory holds neither."""
    content = f"{login.session_data}\0{login.password}"
    return hashlib.blake2b(content.encode(), digest_size=16).digest()


def check_access(
    viewer: Viewer,
    right: StreamRight,
    customer_id: str,
    *,
    logins: Mapping[str, SessionLogin],
    openings: Mapping[str | AccountProof | None, StreamOpening],
    keys: frozenset[int],
    accounts: frozenset[AccountProof] = frozenset(),
    canonical_ids: Mapping[str, str],
) -> StreamAccess:
    """Return whether an open stream may continue.

    `keys` has the valid keys that may read every record, and `accounts` the valid proofs of accounts.
    `canonical_ids` has the canonical customer of each customer that is streamed.
    """
    canonical_id = canonical_ids.get(customer_id)
    if canonical_id is None:
        return StreamAccess(is_allowed=False)
    opening = openings.get(viewer.proof)
    if viewer.account:
        is_open = opening is not None and opening.customer_id == canonical_id
        return StreamAccess(is_open and viewer.account in accounts, canonical_id)
    if viewer.key_id:
        return StreamAccess(viewer.key_id in keys, canonical_id)
    login = logins.get(viewer.session_key)
    return _session_access(viewer, right, login, opening, canonical_id)


def _session_access(
    viewer: Viewer,
    right: StreamRight,
    login: SessionLogin | None,
    opening: StreamOpening | None,
    canonical_id: str,
) -> StreamAccess:
    if login is None or not _is_same_login(viewer, login):
        return StreamAccess(is_allowed=False)
    if right is StreamRight.EVERY:
        return StreamAccess(login.reads_every, canonical_id)
    # The session must still open the streamed record. After an undone merge, the streamed record may
    # belong to another customer.
    is_allowed = opening is not None and opening.customer_id == canonical_id
    return StreamAccess(is_allowed, canonical_id)


def _is_same_login(viewer: Viewer, login: SessionLogin) -> bool:
    if session_digest(login) == viewer.session_digest:
        return True
    current_viewer = viewer_of(login)
    if current_viewer is None or current_viewer.user_id != viewer.user_id:
        return False
    viewer.session_digest = current_viewer.session_digest
    return True
