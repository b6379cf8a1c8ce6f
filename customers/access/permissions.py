"""Who asks, and what they may: the access table of the REST API."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from allauth.headless.contrib.rest_framework.authentication import XSessionTokenAuthentication
from django.http import HttpRequest
from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request

from customers.access.authorization import MalformedAuthorization, parse_key
from customers.access.keys import find_sender
from customers.models import Customer, User
from customers.types import Sender


class Right(StrEnum):
    """What one may ask of the API."""

    READ = "read"
    # Records by an identifier, or all of them; and people, by whatever is said of them.
    FIND = "find"
    SEARCH = "search"
    CHANGE_ORDER = "change_order"
    CHANGE_PARTY = "change_party"
    READ_REVIEWS = "read_reviews"
    SETTLE = "settle"
    READ_QUARANTINE = "read_quarantine"
    REPLAY = "replay"
    READ_CONTROL = "read_control"
    # To say, for a customer, what we may do.
    SAY_CONTROL = "say_control"
    # To ask for a person, or to say that somebody came.
    ASK_PERSON = "ask_person"
    # To say that a message was read, as an app of the company's own does.
    MARK_READ = "mark_read"
    READ_TASKS = "read_tasks"
    DO_TASKS = "do_tasks"
    READ_TOPICS = "read_topics"
    # To say how a ride is, which may be told to many.
    SET_TOPIC = "set_topic"
    # What everybody may who has signed in as a customer, about their own login.
    OWN_LOGIN = "own_login"


# Which scope a secret key needs. What a key may do, it may do for every record.
KEY_SCOPES = {
    Right.READ: "read",
    Right.FIND: "read",
    Right.SEARCH: "read",
    Right.READ_REVIEWS: "read",
    Right.READ_QUARANTINE: "read",
    Right.READ_TASKS: "read",
    Right.DO_TASKS: "identify",
    Right.READ_TOPICS: "read",
    Right.SET_TOPIC: "identify",
    Right.CHANGE_ORDER: "identify",
    Right.CHANGE_PARTY: "identify",
    Right.SETTLE: "identify",
    Right.REPLAY: "identify",
    Right.MARK_READ: "identify",
    Right.READ_CONTROL: "read",
    Right.SAY_CONTROL: "identify",
    Right.ASK_PERSON: "identify",
}
# Which of Django's permissions somebody of staff needs; what is not here is not for staff: that
# a message was read is said by whoever read it.
STAFF_PERMISSIONS = {
    Right.READ: "customers.view_customer",
    Right.FIND: "customers.view_customer",
    Right.SEARCH: "customers.find_customer",
    Right.CHANGE_ORDER: "customers.change_order",
    Right.CHANGE_PARTY: "customers.change_partymember",
    Right.READ_REVIEWS: "customers.view_review",
    Right.SETTLE: "customers.change_review",
    Right.READ_QUARANTINE: "customers.view_quarantineditem",
    Right.READ_TASKS: "butler.view_stafftask",
    Right.DO_TASKS: "butler.change_stafftask",
    Right.READ_TOPICS: "butler.view_topicstatus",
    Right.SET_TOPIC: "butler.change_topicstatus",
    Right.REPLAY: "customers.change_quarantineditem",
    Right.READ_CONTROL: "customers.view_control",
    Right.SAY_CONTROL: "customers.change_control",
    Right.ASK_PERSON: "butler.change_stafftask",
}
# What customers may do with their own record.
CUSTOMER_RIGHTS = frozenset(
    {
        Right.READ,
        Right.CHANGE_ORDER,
        Right.CHANGE_PARTY,
        Right.OWN_LOGIN,
        Right.MARK_READ,
        Right.READ_CONTROL,
        Right.SAY_CONTROL,
        Right.ASK_PERSON,
    }
)

_STAFF_NAME = re.compile(r"[\w.@+-]{1,60}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a request, and by what right."""

    kind: Literal["key", "staff", "customer"]
    # Unique, for telling requests apart; without personal data.
    name: str
    sender: Sender | None = None
    user: User | None = None
    # The live record of a customer who signed in.
    own: UUID | None = None
    # How a login was shown: a cookie or a token.
    by: str = ""

    # What Django and DRF ask of anything that authenticated.
    is_authenticated = True

    def may(self, right: Right) -> bool:
        if self.kind == "key":
            assert self.sender is not None
            return KEY_SCOPES.get(right) in self.sender.scopes
        if self.kind == "customer":
            return right in CUSTOMER_RIGHTS
        assert self.user is not None
        if right is Right.OWN_LOGIN:
            return True
        permission = STAFF_PERMISSIONS.get(right)
        return permission is not None and self.user.has_perm(permission)

    def sees_addresses(self) -> bool:
        """Tell whether they may see how people are reached, and so find them by it."""
        return self.user is None or self.user.has_perm("customers.view_identifier")


class KeyAuthentication(authentication.BaseAuthentication):
    """A secret key, as Bearer or as the name of Basic."""

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        try:
            key = parse_key(request.headers.get("Authorization", ""))
        except MalformedAuthorization:
            raise exceptions.AuthenticationFailed("The key cannot be read.") from None
        if key is None:
            return None
        sender = find_sender(key.text)
        if sender is None:
            raise exceptions.AuthenticationFailed("This key is not known, or no longer.")
        return Principal("key", f"source:{sender.source_id}", sender=sender), "key"

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="butler"'


class TokenAuthentication(XSessionTokenAuthentication):
    """The session of an app, in X-Session-Token."""

    def authenticate(self, request: HttpRequest) -> tuple[Principal, str] | None:
        if not self.get_session_token(request):
            return None
        authenticated = super().authenticate(request)
        if not authenticated or not authenticated[0].is_active:
            raise exceptions.AuthenticationFailed("This session has ended.")
        return _principal(authenticated[0], session_kind="token"), "token"


class CookieAuthentication(authentication.SessionAuthentication):
    """The session of a browser; what changes something needs the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        authenticated = super().authenticate(request)
        return (
            (_principal(authenticated[0], session_kind="cookie"), "cookie")
            if authenticated
            else None
        )


def _principal(user: User, *, session_kind: str) -> Principal:
    if user.is_staff:
        return Principal("staff", f"user:{user.pk}", user=user, by=session_kind)
    record = user.record
    own_record_id = (record.canonical_id or record.pk) if record else None
    return Principal("customer", f"user:{user.pk}", user=user, own=own_record_id, by=session_kind)


def request_principal(request: Request) -> Principal:
    """Return who asks; raise NotAuthenticated where nobody says."""
    # DRF's types know only Django's users; our authenticators give principals.
    principal: object = request.user
    if not isinstance(principal, Principal):
        raise exceptions.NotAuthenticated
    return principal


class HasRight(permissions.BasePermission):
    """Let a request through when its principal has the right that the view names."""

    def has_permission(self, request: Request, view: Any) -> bool:
        rights: Mapping[str, Right] = view.rights
        method = "GET" if request.method == "HEAD" else request.method or ""
        if method not in view.allowed_methods:
            return True
        right = rights.get(method)
        principal = request_principal(request)
        # A method that the view's table leaves out is for nobody.
        return right is not None and principal.may(right)


def can_open(principal: Principal, customer_id: UUID) -> bool:
    """Tell whether this record is one's own, or one may open every record."""
    if principal.kind != "customer":
        return True
    if principal.own is None:
        return False
    return (
        customer_id == principal.own
        or Customer.objects.filter(pk=customer_id, canonical_id=principal.own).exists()
    )


def request_actor(request: Request) -> str:
    """Return who acts, as it is written on the log; empty: the customer does."""
    principal = request_principal(request)
    if principal.user:
        return (
            f"staff:{principal.user.name or principal.user.pk}" if principal.kind == "staff" else ""
        )
    assert principal.sender is not None
    staff_name = request.headers.get("Butler-Staff", "")
    return (
        f"staff:{staff_name}"
        if _STAFF_NAME.match(staff_name)
        else f"source:{principal.sender.name}"
    )
