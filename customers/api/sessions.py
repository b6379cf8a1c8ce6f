"""Sessions of users. A verified code opens one; users list and end their own sessions."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

import msgspec
from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib.auth import login
from django.contrib.sessions.backends.base import SessionBase
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from customers import db
from customers.access.permissions import Right, request_principal
from customers.access.proof_times import note_sign_in
from customers.api import schema
from customers.api.base import ApiView, page_response
from customers.db.sessions import SessionStore
from customers.models import User
from customers.queries.pages import Page

_MAX_USER_AGENT = UserSession._meta.get_field("user_agent").max_length
_BACKEND = "django.contrib.auth.backends.ModelBackend"


class SessionShape(msgspec.Struct, frozen=True):
    """One session of a signed-in user."""

    id: int
    is_current: bool
    user_agent: str
    network: str
    created_at: datetime
    last_seen_at: datetime


type NoteProof = Callable[[SessionBase, datetime], None]


def open_session(request: HttpRequest, user: User, *, note_proof: NoteProof = note_sign_in) -> str:
    """Sign a user in with a new session key; return the key, which is the token of an app.

    note_proof: stores in the session how the user signed in, by default with a code

    If the database connection fails, the request gets its old session back unchanged.
    """
    old_session = request.session
    request.session = session = SessionStore(old_session.session_key)
    try:
        session.flush()
        with session.created_at_end():
            login(request, user, backend=_BACKEND)
            note_proof(session, timezone.now())
        return _add_to_list(request, user)
    except db.CONNECTION_ERRORS:
        request.session = old_session
        raise


def _add_to_list(request: HttpRequest, user: User) -> str:
    """Put the new session on the list of the user's sessions; return its key."""
    key = request.session.session_key
    assert key is not None
    # The key is new, so allauth's look-up of an existing row is not necessary.
    UserSession.objects.create(
        user=user,
        session_key=key,
        ip=network_of(request),
        user_agent=request.META.get("HTTP_USER_AGENT", "")[:_MAX_USER_AGENT],
    )
    return key


def open_app_session(
    request: HttpRequest, user: User, *, note_proof: NoteProof = note_sign_in
) -> str:
    """Sign an app in; return the session key. The function ignores and sets no cookies."""
    # Only this request uses the new session. The session of the browser does not change.
    cookie_session, cookie_user = request.session, request.user
    request.session = SessionStore(None)
    try:
        return open_session(request, user, note_proof=note_proof)
    finally:
        request.session, request.user = cookie_session, cookie_user
        request.META["CSRF_COOKIE_NEEDS_UPDATE"] = False


def network_of(request: HttpRequest) -> str:
    """Return the network address of the caller, behind the configured number of proxies."""
    return str(get_adapter().get_client_ip(request))


class SessionsView(ApiView):
    """The sessions of the signed-in user."""

    rights: ClassVar = {"GET": Right.OWN_LOGIN, "DELETE": Right.OWN_LOGIN}

    @schema.describe(
        "List your sessions",
        answer=schema.pages_of(SessionShape),
        tags=("signing in",),
        auth=["token", "cookie"],
    )
    def get(self, request: Request) -> HttpResponse:
        user = request_principal(request).user
        assert user is not None
        current = current_session(request)
        sessions = [
            SessionShape(
                id=session.pk,
                is_current=session.session_key == current,
                user_agent=session.user_agent,
                network=str(session.ip),
                created_at=session.created_at,
                last_seen_at=session.last_seen_at,
            )
            for session in UserSession.objects.purge_and_list(user)
        ]
        return page_response(request, Page(sessions))

    @schema.describe(
        "End your other sessions",
        status=204,
        tags=("signing in",),
        auth=["token", "cookie"],
    )
    def delete(self, request: Request) -> HttpResponse:
        user = request_principal(request).user
        assert user is not None
        for session in UserSession.objects.filter(user=user).exclude(
            session_key=current_session(request)
        ):
            session.end()
        return HttpResponse(status=204)


class SessionView(ApiView):
    """One session of the signed-in user."""

    rights: ClassVar = {"DELETE": Right.OWN_LOGIN}

    @schema.describe("End a session", status=204, tags=("signing in",), auth=["token", "cookie"])
    def delete(self, request: Request, session_id: int) -> HttpResponse:
        user = request_principal(request).user
        session = UserSession.objects.filter(user=user, pk=session_id).first()
        if session is None:
            raise Http404
        session.end()
        return HttpResponse(status=204)


def current_session(request: Request) -> str:
    """Return the session key of this request; empty if it has none."""
    return request.headers.get("X-Session-Token") or request.session.session_key or ""
