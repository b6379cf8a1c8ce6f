"""Sessions in Postgres that outlive a broken connection: Django's own, saved once more.

Django saves a session after the view has answered, so also after the view has committed. It
takes every error of the database for a session that has ended, and answers 400.
"""

from django.contrib.sessions.backends import db as django_sessions
from django.contrib.sessions.backends.base import UpdateError

from customers import db


class SessionStore(django_sessions.SessionStore):
    """Django's session; outside a transaction it is saved again where the connection broke."""

    def save(self, must_create: bool = False) -> None:
        """Save the session under its key; saving it twice is saving it once."""
        db.retry_if_connection_lost(lambda: self._save(must_create))

    def _save(self, must_create: bool) -> None:
        try:
            super().save(must_create)
        except UpdateError as error:
            # The row is gone, or Postgres did not take the statement: only that is our fault.
            if isinstance(error.__context__, db.CONNECTION_ERRORS):
                raise error.__context__ from error.__context__.__cause__
            raise
