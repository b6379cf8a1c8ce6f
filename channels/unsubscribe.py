"""Unsubscribe links, with their signed token, and the action that they perform.

A link names a customer and a kind of messages, and can only end these messages. A stranger who
finds the link can do no more than that. The link works as long as the key that signed it is known.
"""

import base64
import binascii
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.conf import settings
from django.core import signing
from django.db.models import Q

from butler.actions import withdrawal
from customers.actions.changes import ChangeAuthor
from customers.consent.state import State
from customers.consent.statements import ConsentStatement, InvalidStatement
from customers.events import internal_sources
from customers.models import ConsentState, Customer

SALT = "butler.unsubscribe"
_SENDER = msgspec.structs.replace(internal_sources.BUTLER, channel="email")
_ENDED_STATES = frozenset({"refused", "withdrawn"})
_MAX_TOKEN_LENGTH = 600


class UnsubscribeScope(NamedTuple):
    """The customer, the kind of messages that ends, and the message that had the link."""

    customer_id: UUID
    message_id: UUID
    # The purpose of the consent; empty if the message needed none, and then the topic ends.
    purpose: str
    topic: str


def unsubscribe_url(*, customer_id: UUID, message_id: UUID, purpose: str, topic: str) -> str:
    """Return the link for one message."""
    token = sign_token(UnsubscribeScope(customer_id, message_id, purpose, topic))
    return f"{settings.BUTLER_SITE_URL.rstrip('/')}/u/{token}/"


def sign_token(scope: UnsubscribeScope) -> str:
    """Return the signed token of a link, which contains no name and no address."""
    kind = f"{scope.purpose}\0{scope.topic}".encode()
    encoded = scope.customer_id.bytes + scope.message_id.bytes + kind
    return _signer().sign(base64.urlsafe_b64encode(encoded).rstrip(b"=").decode())


def read_token(token: str) -> UnsubscribeScope | None:
    """Return the scope of a token; None if its signature is invalid."""
    if len(token) > _MAX_TOKEN_LENGTH:
        return None
    try:
        encoded = _signer().unsign(token)
        content = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        purpose, topic = content[32:].decode().split("\0")
        return UnsubscribeScope(
            UUID(bytes=content[:16]), UUID(bytes=content[16:32]), purpose, topic
        )
    except (signing.BadSignature, binascii.Error, ValueError):
        return None


def end_messages(
    scope: UnsubscribeScope, *, evidence_kind: str, now: datetime
) -> tuple[withdrawal.SentMessage, ...]:
    """End the messages of this kind, and return those that were sent just before.

    `evidence_kind` is "rfc8058" for a mail program, "click" for the page, "provider" for the
    provider's own link. A repeated call changes nothing. Raises NoSuchCustomer.
    """
    if _is_already_ended(scope):
        return ()
    evidence = {"kind": evidence_kind, "message": str(scope.message_id)}
    try:
        return _record_statement(scope, _statement(scope, evidence), now)
    except InvalidStatement:
        # The purpose or topic no longer exists, so end all messages by mail.
        statement = ConsentStatement(
            "preference.set", "allow", False, channel="email", evidence=evidence
        )
        return _record_statement(scope, statement, now)


def _statement(scope: UnsubscribeScope, evidence: dict[str, str]) -> ConsentStatement:
    if scope.purpose:
        return ConsentStatement("consent.withdrawn", scope.purpose, evidence=evidence)
    return ConsentStatement(
        "preference.set", "allow", False, channel="email", topic=scope.topic, evidence=evidence
    )


def _record_statement(
    scope: UnsubscribeScope, statement: ConsentStatement, now: datetime
) -> tuple[withdrawal.SentMessage, ...]:
    author = ChangeAuthor(_SENDER)
    return withdrawal.record_statements(
        customer_id=scope.customer_id, statements=[statement], author=author, now=now
    ).sent_messages


def _is_already_ended(scope: UnsubscribeScope) -> bool:
    customers = Customer.objects.filter(
        Q(pk=scope.customer_id) | Q(members=scope.customer_id), canonical=None
    )
    consent_state = ConsentState.objects.filter(customer__in=customers).first()
    if consent_state is None:
        return False
    state = msgspec.convert(consent_state.state, State)
    if scope.purpose:
        consent = state.consents.get(scope.purpose)
        return consent is not None and consent.state in _ENDED_STATES
    return any(
        (setting.name, setting.value, setting.channel, setting.topic)
        == ("allow", False, "email", scope.topic)
        for setting in state.settings
    )


def _signer() -> signing.Signer:
    return signing.Signer(salt=SALT, sep=".")
