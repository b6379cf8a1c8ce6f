"""One tap ends messages of a kind: what the link carries, and what it does.

The link says whose messages of which kind end, and can do nothing else: whoever finds it can
make us more silent, never less. It holds for as long as the key that signed it is known.
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
from customers.actions.changes import Author
from customers.actions.consent import ConsentStatement, InvalidStatement
from customers.consent.state import State
from customers.events import internal_sources
from customers.models import Control, Customer

SALT = "butler.unsubscribe"
_SENDER = msgspec.structs.replace(internal_sources.BUTLER, channel="email")
_ENDED = frozenset({"refused", "withdrawn"})
_LONGEST = 600


class Scope(NamedTuple):
    """Whose messages of which kind, and the one that had the link."""

    customer_id: UUID
    message_id: UUID
    # What was consented to; empty: it needed no consent, and the topic is what ends.
    purpose: str
    topic: str


def unsubscribe_url(*, customer_id: UUID, message_id: UUID, purpose: str, topic: str) -> str:
    """Return the link for one message."""
    token = write(Scope(customer_id, message_id, purpose, topic))
    return f"{settings.BUTLER_SITE_URL.rstrip('/')}/u/{token}/"


def write(scope: Scope) -> str:
    """Return the token of a link: signed, and without a name or an address in it."""
    kind = f"{scope.purpose}\0{scope.topic}".encode()
    packed = scope.customer_id.bytes + scope.message_id.bytes + kind
    return _signer().sign(base64.urlsafe_b64encode(packed).rstrip(b"=").decode())


def read(token: str) -> Scope | None:
    """Return what a token says; None: nobody with our key wrote this."""
    if len(token) > _LONGEST:
        return None
    try:
        packed = _signer().unsign(token)
        content = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        purpose, topic = content[32:].decode().split("\0")
        return Scope(UUID(bytes=content[:16]), UUID(bytes=content[16:32]), purpose, topic)
    except (signing.BadSignature, binascii.Error, ValueError):
        return None


def end(scope: Scope, *, how: str, now: datetime) -> tuple[withdrawal.Left, ...]:
    """End messages of this kind; return those that had left just before.

    `how` is the kind of evidence: "rfc8058" for a mail program, "click" for the page. Saying it
    again changes nothing. Raises NoSuchCustomer.
    """
    if _is_ended(scope):
        return ()
    evidence = {"kind": how, "message": str(scope.message_id)}
    try:
        return _say(scope, _word(scope, evidence), now)
    except InvalidStatement:
        # The kind is gone since: then nothing at all by mail, rather than more of it.
        word = ConsentStatement(
            "preference.set", "allow", False, channel="email", evidence=evidence
        )
        return _say(scope, word, now)


def _word(scope: Scope, evidence: dict[str, str]) -> ConsentStatement:
    if scope.purpose:
        return ConsentStatement("consent.withdrawn", scope.purpose, evidence=evidence)
    return ConsentStatement(
        "preference.set", "allow", False, channel="email", topic=scope.topic, evidence=evidence
    )


def _say(scope: Scope, word: ConsentStatement, now: datetime) -> tuple[withdrawal.Left, ...]:
    author = Author(_SENDER)
    return withdrawal.say(customer_id=scope.customer_id, words=[word], author=author, now=now).left


def _is_ended(scope: Scope) -> bool:
    live = Customer.objects.filter(
        Q(pk=scope.customer_id) | Q(members=scope.customer_id), canonical=None
    )
    control = Control.objects.filter(customer__in=live).first()
    if control is None:
        return False
    state = msgspec.convert(control.state, State)
    if scope.purpose:
        consent = state.consents.get(scope.purpose)
        return consent is not None and consent.state in _ENDED
    return any(
        (one.name, one.value, one.channel, one.topic) == ("allow", False, "email", scope.topic)
        for one in state.settings
    )


def _signer() -> signing.Signer:
    return signing.Signer(salt=SALT, sep=".")
