"""Finds the customer of a session token, for requests that need no other part of the session."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import F, Subquery
from django.db.models.functions import JSONObject
from django.utils.crypto import constant_time_compare

from customers.access.session_identifiers import chosen_account, proved_address
from customers.models import User


def find_identifier(token: str) -> tuple[str, str] | None:
    """Return the kind and the stored value of the identifier for which a session token speaks.

    The result is None if the session has ended, if its login is not active, or if it belongs to
    staff. Two statements, or three after the choice of an account; nothing is written.
    """
    session: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(token)
    user_id = session.get(SESSION_KEY)
    if not user_id:
        return None
    pair = proved_address().values(pair=JSONObject(kind=F("kind"), value=F("value")))
    logins = User.objects.filter(pk=user_id, is_active=True, is_staff=False)
    user = logins.annotate(proved=Subquery(pair[:1])).first()
    if user is None or user.proved is None or not _opened_session(user, session):
        return None
    return chosen_account(user, session) or (user.proved["kind"], user.proved["value"])


def _opened_session(user: User, session: SessionBase) -> bool:
    """Tell whether the session was opened with the credential that the login has now."""
    session_hash = session.get(HASH_SESSION_KEY) or ""
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(session_hash, expected) for expected in hashes)
