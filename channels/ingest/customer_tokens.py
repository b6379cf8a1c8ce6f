"""Finds the customer for whom the events of a request with a publishable key speak.

An app sends its session token in the header X-Session-Token, which speaks for all events of the
request. Or its events have an identity token of the app's own server in `context.identityToken`.
Without a valid token, the events are claims (docs/adr/0017).
"""

import re
from collections.abc import Callable

from django.http import HttpRequest

from channels.ingest.segment import NOBODY, TokenCustomer, find_nobody
from customers.access import identity_tokens, session_tokens
from customers.identity.identifier_keys import stored_account
from customers.models import Source
from customers.types import Sender

# The largest number of different identity tokens in a request. Further ones prove nothing.
MAX_TOKENS = 20
# The codes of the warnings.
TOKEN_EXPIRED = "identity_token_expired"
TOKEN_INVALID = "identity_token_invalid"
SESSION_ENDED = "session_ended"
# A JWT begins with an encoded `{"`.
TOKENS = re.compile(rb"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*\.?[A-Za-z0-9_-]*")


_INVALID = TokenCustomer(fault=TOKEN_INVALID)


class _CustomerTokens:
    """The customers of one request with a publishable key. Each token is verified once."""

    def __init__(self, sender: Sender, session_token: str) -> None:
        self._sender = sender
        self._session_customer = _find_session(session_token) if session_token else None
        self._secrets: list[str] | None = None
        self._customers: dict[str, TokenCustomer] = {}

    def find_customer(self, identity_token: object) -> TokenCustomer:
        """Return the customer for whom an event speaks.

        identity_token: the value in the event; None without one
        """
        if self._session_customer:
            return self._session_customer
        if identity_token is None:
            return NOBODY
        if not isinstance(identity_token, str):
            return _INVALID
        customer = self._customers.get(identity_token)
        if customer is None:
            if len(self._customers) >= MAX_TOKENS:
                return _INVALID
            customer = self._verify(identity_token)
            self._customers[identity_token] = customer
        return customer

    def _verify(self, token: str) -> TokenCustomer:
        if self._secrets is None:
            self._secrets = _read_secrets(self._sender.source_id)
        try:
            number = identity_tokens.verify(
                token, source_id=self._sender.source_id, secrets=self._secrets
            )
        except identity_tokens.ExpiredToken:
            return TokenCustomer(fault=TOKEN_EXPIRED)
        except identity_tokens.InvalidToken:
            return _INVALID
        account = stored_account(number, self._sender)
        return TokenCustomer(account) if account else _INVALID


def customer_finder(request: HttpRequest, sender: Sender) -> Callable[[object], TokenCustomer]:
    """Return the function that finds the customer of an event by its identity token, or None.

    A secret key needs no customer token. The cookies of a browser prove nothing here.
    """
    if not sender.is_public:
        return find_nobody
    return _CustomerTokens(sender, request.META.get("HTTP_X_SESSION_TOKEN", "")).find_customer


def _find_session(token: str) -> TokenCustomer:
    identifier = session_tokens.find_identifier(token)
    return TokenCustomer(identifier, "" if identifier else SESSION_ENDED)


def _read_secrets(source_id: int) -> list[str]:
    return list(Source.objects.values_list("identity_secrets", flat=True).get(pk=source_id))
