"""Stores sessions in Postgres, and saves them again if the connection breaks.

Django saves a session after the view, so also after the commit of the view. If a database error
occurs then, Django assumes that the session has ended, and answers 400.
"""

from django.contrib.sessions.backends import db as django_sessions
from django.contrib.sessions.backends.base import UpdateError

from customers import db


class SessionStore(django_sessions.SessionStore):
    """Django's session store. Outside a transaction, it saves again on a new connection."""

    def _validate_session_key(self, key: str) -> bool:
        """Treat a key that no session can have as no key. Postgres cannot look for NUL."""
        is_valid: bool = super()._validate_session_key(key)  # type: ignore[misc]  # not in the stubs
        return is_valid and key.isascii() and key.isalnum()

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
