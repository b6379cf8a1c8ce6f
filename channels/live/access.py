"""Who may watch whom, and whether they still may. Judged on rows that others read."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from typing import NamedTuple

import msgspec
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare, salted_hmac

# Django's, for what a session says about the password it was opened with.
_AUTH_HASH_SALT = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"


class Right(StrEnum):
    """Why a stream may be watched: it is one's own record, or one may read every record."""

    OWN = "own"
    EVERY = "every"


class Login(NamedTuple):
    """A row of look_at_sessions.sql."""

    session_key: str
    session_data: str
    user_id: int
    password: str
    reads_every: bool
    customer_id: str | None


class Viewer(msgspec.Struct):
    """Who watches, and what that was proved with."""

    session_key: str = ""
    user_id: int = 0
    key_id: int = 0
    reads_every: bool = False
    customer_id: str | None = None
    # Digest of session and password as they were when last checked: the same again needs no
    # second look, and neither secret stays in memory.
    proof: bytes = b""

    @property
    def name(self) -> str:
        return f"key:{self.key_id}" if self.key_id else f"user:{self.user_id}"


class Verdict(NamedTuple):
    """Whether a stream goes on, and with whose log."""

    may_go_on: bool
    customer_id: str = ""


def session_user(session_data: str) -> int | None:
    """Read whose session it is; nothing when nobody is signed in, or the signature is wrong."""
    engine = import_module(settings.SESSION_ENGINE)
    user_id = engine.SessionStore(None).decode(session_data).get(SESSION_KEY)
    text = str(user_id)
    return int(text) if text.isascii() and text.isdigit() else None


def viewer_of(login: Login) -> Viewer | None:
    """Let a session in, if it was opened with the password that the login still has."""
    engine = import_module(settings.SESSION_ENGINE)
    session = engine.SessionStore(None).decode(login.session_data)
    if session.get(SESSION_KEY) != str(login.user_id):
        return None
    if not _opened_with(login.password, shown=session.get(HASH_SESSION_KEY) or ""):
        return None
    return Viewer(
        session_key=login.session_key,
        user_id=login.user_id,
        reads_every=login.reads_every,
        customer_id=login.customer_id,
        proof=_proof(login),
    )


def _opened_with(password: str, *, shown: str) -> bool:
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        expected = salted_hmac(_AUTH_HASH_SALT, password, secret=secret, algorithm="sha256")
        if constant_time_compare(shown, expected.hexdigest()):
            return True
    return False


def _proof(login: Login) -> bytes:
    together = f"{login.session_data}\0{login.password}"
    return hashlib.blake2b(together.encode(), digest_size=16).digest()


def still_may(
    viewer: Viewer,
    right: Right,
    customer_id: str,
    *,
    logins: Mapping[str, Login],
    keys: frozenset[int],
    canonical: Mapping[str, str],
) -> Verdict:
    """Judge an open stream again, on what is true now.

    `canonical` names, for each open log, the record that it is a part of now.
    """
    now_part_of = canonical.get(customer_id)
    if now_part_of is None:
        return Verdict(may_go_on=False)
    if viewer.key_id:
        return Verdict(viewer.key_id in keys, now_part_of)
    login = logins.get(viewer.session_key)
    if login is None or not _is_same_login(viewer, login):
        return Verdict(may_go_on=False)
    if right is Right.EVERY:
        return Verdict(login.reads_every, now_part_of)
    # One's own record has to be the one that the log leads to. After two records were parted
    # it is not: what goes on there is somebody else's.
    return Verdict(login.customer_id == now_part_of, now_part_of)


def _is_same_login(viewer: Viewer, login: Login) -> bool:
    if _proof(login) == viewer.proof:
        return True
    fresh = viewer_of(login)
    if fresh is None or fresh.user_id != viewer.user_id:
        return False
    viewer.proof = fresh.proof
    return True
