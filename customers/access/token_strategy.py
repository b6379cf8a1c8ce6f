"""Finds the session of a token from an app, in one statement."""

from importlib import import_module

from allauth.headless.tokens.strategies.sessions import SessionTokenStrategy
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase


class OneStatementTokenStrategy(SessionTokenStrategy):
    """allauth's strategy, without its extra statement that asks whether the session exists."""

    def lookup_session(self, session_token: str) -> SessionBase | None:
        """Return the session of a token, or None if it has ended."""
        session: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(session_token)
        # The first access reads the session. Without one, the session forgets its key.
        session.get(SESSION_KEY)
        return session if session.session_key else None
