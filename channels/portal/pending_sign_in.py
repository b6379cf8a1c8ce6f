"""The codes that a browser asked for, which the page for the code needs until a sign-in.

A phone loads the page again when its owner comes back from the mail. The session keeps the codes, so
that this sends no further one, and that a code counts whose mail came late.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

_KEY = "pending_sign_in"
_MAX_CODES = 3


class PendingSignIn(NamedTuple):
    """The address that a browser asked codes for, and the handles of the latest ones."""

    # "email" or "phone".
    kind: str
    # As the customer typed it.
    address: str
    # The latest first.
    handles: Sequence[str]
    next_page: str
    # In seconds since 1970.
    ends_at: float


def add_code(
    session: SessionBase, *, kind: str, address: str, handle: str, next_page: str, now: datetime
) -> None:
    """Store the handle of a code, beside earlier ones of the same address."""
    earlier = read(session, now=now)
    handles = earlier.handles if earlier and earlier.address == address else ()
    ends_at = now.timestamp() + settings.BUTLER_CODE_SECONDS
    session[_KEY] = PendingSignIn(
        kind, address, [handle, *handles][:_MAX_CODES], next_page, ends_at
    )


def read(session: SessionBase, *, now: datetime) -> PendingSignIn | None:
    """Return the codes that this browser asked for, or None if the latest one has expired."""
    if _KEY not in session:
        return None
    pending = PendingSignIn(*session[_KEY])
    return pending if now.timestamp() < pending.ends_at else None


def keep_for_visitor(session: SessionBase, seconds: int) -> None:
    """Let the session of a visitor without a login end after these seconds, or later if it does."""
    session.set_expiry(max(seconds, session.get("_session_expiry") or 0))
