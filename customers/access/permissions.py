"""The access table of the REST API: principals and their rights."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from rest_framework import exceptions, permissions
from rest_framework.request import Request

from customers.access.account_proofs import AccountProof
from customers.events.actors import actor_by_source
from customers.models import Customer, User
from customers.types import OpenedRecord, Sender


class Right(StrEnum):
    """An action that the REST API allows or denies to a principal."""

    READ = "read"
    # FIND_CUSTOMER: find records by an identifier, or list them. SEARCH: search by free text.
    FIND_CUSTOMER = "find_customer"
    SEARCH = "search"
    CHANGE_ORDER = "change_order"
    CHANGE_PARTY = "change_party"
    READ_REVIEWS = "read_reviews"
    SETTLE_REVIEW = "settle_review"
    # The questions whether two sources number their customers separately, and the answers.
    READ_SOURCES = "read_sources"
    CHANGE_SOURCES = "change_sources"
    READ_QUARANTINE = "read_quarantine"
    REPLAY = "replay"
    READ_CONSENTS = "read_consents"
    # Make consent statements for a customer.
    CHANGE_CONSENTS = "change_consents"
    # Make a service request, such as a call back, or record that staff answered it.
    MAKE_REQUEST = "make_request"
    # Mark a message as read, as an app of the company does.
    MARK_READ = "mark_read"
    READ_TASKS = "read_tasks"
    CHANGE_TASKS = "change_tasks"
    READ_TOPICS = "read_topics"
    # Set the status of a topic, which may start automations for many customers.
    SET_TOPIC = "set_topic"
    ERASE = "erase"
    # List and end the sessions of the principal's own login.
    OWN_LOGIN = "own_login"
    # Get a ticket for the live stream that the principal may read.
    OWN_STREAM = "own_stream"


# The scope that a secret key needs for a right. A key with that scope has the right on all records.
# No key has the rights that are missing here: only staff decide who is who, and erase.
KEY_SCOPES = {
    Right.READ: "read",
    Right.FIND_CUSTOMER: "read",
    Right.SEARCH: "read",
    Right.READ_REVIEWS: "read",
    Right.READ_SOURCES: "read",
    Right.READ_QUARANTINE: "read",
    Right.READ_TASKS: "read",
    Right.CHANGE_TASKS: "identify",
    Right.READ_TOPICS: "read",
    Right.SET_TOPIC: "identify",
    Right.CHANGE_ORDER: "identify",
    Right.CHANGE_PARTY: "identify",
    Right.REPLAY: "identify",
    Right.MARK_READ: "identify",
    Right.READ_CONSENTS: "read",
    Right.CHANGE_CONSENTS: "identify",
    Right.MAKE_REQUEST: "identify",
}
# The Django permission that staff need for a right. Staff do not have the rights that are missing
# here: for example, only the customer or an app of the company marks a message as read.
STAFF_PERMISSIONS = {
    Right.READ: "customers.view_customer",
    Right.FIND_CUSTOMER: "customers.view_customer",
    Right.SEARCH: "customers.find_customer",
    Right.CHANGE_ORDER: "customers.change_order",
    Right.CHANGE_PARTY: "customers.change_partymember",
    Right.READ_REVIEWS: "customers.view_review",
    Right.SETTLE_REVIEW: "customers.change_review",
    Right.READ_SOURCES: "customers.view_source",
    Right.CHANGE_SOURCES: "customers.change_numberingquestion",
    Right.READ_QUARANTINE: "customers.view_quarantineditem",
    Right.READ_TASKS: "butler.view_stafftask",
    Right.CHANGE_TASKS: "butler.change_stafftask",
    Right.READ_TOPICS: "butler.view_topicstatus",
    Right.SET_TOPIC: "butler.change_topicstatus",
    Right.REPLAY: "customers.change_quarantineditem",
    Right.READ_CONSENTS: "customers.view_consentstate",
    Right.CHANGE_CONSENTS: "customers.change_consentstate",
    Right.MAKE_REQUEST: "butler.change_stafftask",
    Right.ERASE: "customers.add_erasure",
}
# The rights of customers on their own record.
CUSTOMER_RIGHTS = frozenset(
    {
        Right.READ,
        Right.CHANGE_ORDER,
        Right.CHANGE_PARTY,
        Right.OWN_LOGIN,
        Right.OWN_STREAM,
        Right.MARK_READ,
        Right.READ_CONSENTS,
        Right.CHANGE_CONSENTS,
        Right.MAKE_REQUEST,
    }
)

_STAFF_NAME = re.compile(r"[\w.@+-]{1,60}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Principal:
    """The key or the login that makes a request, with its rights."""

    kind: Literal["key", "staff", "customer"]
    # A unique name without personal data, which rate limits and logs use.
    name: str
    sender: Sender | None = None
    user: User | None = None
    # The part of a record that the signed-in customer opens.
    opened: OpenedRecord | None = None
    # The session opens several records, and the customer has not chosen one yet.
    has_choice: bool = False
    # The session of a customer.
    session: SessionBase | None = None
    # How a customer or a login authenticated: "cookie", "token", or "account" for the account of a
    # source without a login; empty for a key.
    session_kind: str = ""
    # The account that a front end or a server proved, without a login.
    account_proof: AccountProof | None = None
    # The server that reads for the customer.
    reader: Sender | None = None

    # Django and DRF read this attribute.
    is_authenticated = True

    @property
    def own_record_id(self) -> UUID | None:
        """The live record of the signed-in customer; None if there is none, or a choice of several."""
        return self.opened.live_id if self.opened else None

    @property
    def part(self) -> OpenedRecord | None:
        """The part that the customer opens of the own record; None if it is the whole record."""
        return None if self.opened is None or self.opened.is_whole else self.opened

    def has_right(self, right: Right) -> bool:
        """Tell whether this principal has a right. `can_open` decides on which records."""
        if self.kind == "key":
            assert self.sender is not None
            return KEY_SCOPES.get(right) in self.sender.scopes
        if self.kind == "customer":
            return right in self._customer_rights
        assert self.user is not None
        if right in (Right.OWN_LOGIN, Right.OWN_STREAM):
            return True
        permission = STAFF_PERMISSIONS.get(right)
        return permission is not None and self.user.has_perm(permission)

    @property
    def _customer_rights(self) -> frozenset[Right]:
        """The rights of a customer. A server only reads, and an account has no login."""
        if self.reader:
            return frozenset({Right.READ, Right.READ_CONSENTS, Right.OWN_STREAM})
        return CUSTOMER_RIGHTS if self.user else CUSTOMER_RIGHTS - {Right.OWN_LOGIN}

    def can_see_addresses(self) -> bool:
        """Tell whether this principal may see the addresses of customers and search by them."""
        return self.user is None or self.user.has_perm("customers.view_identifier")


def request_principal(request: Request) -> Principal:
    """Return the principal of a request. Raise NotAuthenticated if the request has none."""
    # DRF's type of `request.user` is a Django user. Butler's authenticators return a Principal.
    principal: object = request.user
    if not isinstance(principal, Principal):
        raise exceptions.NotAuthenticated
    return principal


class HasRight(permissions.BasePermission):
    """Allow a request if its principal has the right that the view names for the method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the principal may use the method of the request.

        The result is also true for a method that the view does not have; the view then answers 405.
        Raises NotAuthenticated if the request has no principal.
        """
        rights: Mapping[str, Right] = view.rights
        method = "GET" if request.method == "HEAD" else request.method or ""
        if method not in view.allowed_methods:
            return True
        right = rights.get(method)
        principal = request_principal(request)
        # No principal may use a method that is missing in the view's table.
        return right is not None and principal.has_right(right)


def can_open(principal: Principal, customer_id: UUID) -> bool:
    """Tell whether the principal may open this record: keys and staff all, customers their own."""
    if principal.kind != "customer":
        return True
    if principal.own_record_id is None:
        return False
    return (
        customer_id == principal.own_record_id
        or Customer.objects.filter(pk=customer_id, canonical_id=principal.own_record_id).exists()
    )


def request_actor(request: Request) -> str:
    """Return the actor of a request as the log names it. An empty text means the customer."""
    principal = request_principal(request)
    if principal.kind == "customer":
        return actor_by_source(principal.reader.name) if principal.reader else ""
    if principal.user:
        return f"staff:{principal.user.name or principal.user.pk}"
    assert principal.sender is not None
    person = request.headers.get("Butler-Staff", "")
    return actor_by_source(principal.sender.name, person if _STAFF_NAME.match(person) else "")
