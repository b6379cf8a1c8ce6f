"""The ways in which requests to the REST API authenticate: keys, sessions and identity tokens."""

from allauth.headless.contrib.rest_framework.authentication import XSessionTokenAuthentication
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from customers.access import sessions
from customers.access.account_tokens import principal_to_read_for
from customers.access.authorization import MalformedAuthorization, parse_key
from customers.access.keys import digest, find_sender
from customers.access.permissions import Principal
from customers.models import User


class KeyAuthentication(authentication.BaseAuthentication):
    """Authenticates a key, sent as a Bearer token or as the user name of Basic."""

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        """Return the principal of the key, and "key"; return None if the request has no key.

        Raises AuthenticationFailed for an unreadable or invalid key.
        """
        try:
            key = parse_key(request.headers.get("Authorization", ""))
        except MalformedAuthorization:
            raise exceptions.AuthenticationFailed("Butler cannot read the key.") from None
        if key is None:
            return None
        sender = find_sender(key.text)
        if sender is None:
            raise exceptions.AuthenticationFailed(
                "This key does not exist, has expired or was revoked."
            )
        for_account = principal_to_read_for(request, sender, key_digest=digest(key.text))
        return for_account or Principal("key", f"source:{sender.source_id}", sender=sender), "key"

    def authenticate_header(self, request: Request) -> str:
        """Return the header WWW-Authenticate of a response with status 401."""
        return 'Bearer realm="butler"'


class TokenAuthentication(XSessionTokenAuthentication):
    """Authenticates the session of an app by the header X-Session-Token."""

    def authenticate(self, request: HttpRequest) -> tuple[Principal, str] | None:
        """Return the principal of the session, and "token"; return None without a token.

        Raises AuthenticationFailed if the session has ended or its login is not active.
        """
        if not self.get_session_token(request):
            return None
        authenticated = super().authenticate(request)
        if not authenticated or not authenticated[0].is_active:
            raise exceptions.AuthenticationFailed("This session has ended.")
        user, session = authenticated
        return _principal(user, session, session_kind="token"), "token"


class CookieAuthentication(authentication.SessionAuthentication):
    """Authenticates the session of a browser. Requests that change data need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        """Return the principal of the session, and "cookie"; return None without a session."""
        authenticated = super().authenticate(request)
        if not authenticated:
            return None
        return _principal(authenticated[0], request.session, session_kind="cookie"), "cookie"


def _principal(user: User, session: SessionBase, *, session_kind: str) -> Principal:
    if user.is_staff:
        return Principal("staff", f"user:{user.pk}", user=user, session_kind=session_kind)
    opening = sessions.read_opening(user, session)
    return Principal(
        "customer",
        f"user:{user.pk}",
        user=user,
        opened=opening.chosen,
        has_choice=opening.has_choice,
        session=session,
        session_kind=session_kind,
    )
