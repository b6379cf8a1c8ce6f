"""Stores sessions in Postgres, and saves them again if the connection breaks.

Django saves a session after the view, so also after the commit of the view. If a database error
occurs then, Django assumes that the session has ended, and answers 400.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.sessions.backends import base as django_base
from django.contrib.sessions.backends import db as django_sessions
from django.contrib.sessions.backends.base import UpdateError
from django.utils import timezone
from django.utils.crypto import get_random_string

from customers import db

_READ = """
SELECT session_data
  FROM django_session
 WHERE session_key = %(key)s AND expire_date > %(now)s
"""


class SessionStore(django_sessions.SessionStore):
    """Django's session store. Outside a transaction, it saves again on a new connection."""

    _is_delayed = False

    def load(self) -> dict[str, Any]:
        """Read the session in one prepared statement; without one, forget the key."""
        now = timezone.now()  # noqa: TID251  reading a session is an edge
        row = db.row(_READ, {"key": self.session_key, "now": now})
        if row is None:
            self._session_key = None
            return {}
        content: dict[str, Any] = self.decode(row[0])
        return content

    def _validate_session_key(self, key: str) -> bool:
        """Treat a key that no session can have as no key. Postgres cannot look for NUL."""
        is_valid: bool = super()._validate_session_key(key)  # type: ignore[misc]  # not in the stubs
        return is_valid and key.isascii() and key.isalnum()

    def _get_new_session_key(self) -> str:
        """Return a random key. That of another session is as unlikely as a guessed one.

        Even then the insertion fails, and Django takes the next key.
        """
        return get_random_string(32, django_base.VALID_KEY_CHARS)

    @contextmanager
    def created_at_end(self) -> Iterator[None]:
        """Create the session at the end of the block, with the data of the block, in one statement.

        Django's `login` creates an empty session and fills it with a second statement.
        """
        self._is_delayed = True
        try:
            yield
        finally:
            self._is_delayed = False
        self.save(must_create=True)

    def create(self) -> None:
        """Take a new key, and store the session now or at the end of `created_at_end`."""
        if self._is_delayed:
            self._session_key = self._get_new_session_key()
            self._session_cache: dict[str, Any] = {}
        else:
            super().create()

    def save(self, must_create: bool = False) -> None:
        """Save the session under its key. A second save of the same session has no effect."""
        db.retry_if_connection_lost(lambda: self._save(must_create))

    def _save(self, must_create: bool) -> None:
        try:
            super().save(must_create)
        except UpdateError as error:
            # UpdateError has two causes: the row was deleted, or the connection failed.
            if isinstance(error.__context__, db.CONNECTION_ERRORS):
                raise error.__context__ from error.__context__.__cause__
            raise
