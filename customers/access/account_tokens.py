"""Authenticates front ends and servers that read for one account of a source.

Such a reader proves the account, not a mailbox. It opens the account with what was said of it, and the
rest of the record only by confirmed links (docs/reference/identity.md, "What a proof opens").
"""

from django.http import HttpRequest
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from customers.access import identity_tokens
from customers.access.keys import READ_FOR
from customers.access.permissions import Principal
from customers.events.internal_sources import sender_of_source
from customers.identity.families import is_number
from customers.identity.identifier_keys import stored_account
from customers.identity.openable_graph import SessionProofs, read_openable
from customers.models import Evidence, Identifier, Source
from customers.types import OpenedRecord, Sender

TOKEN_HEADER = "X-Identity-Token"
# The number of the account for which a server with the scope `read-for` reads.
READ_FOR_HEADER = "Butler-For"


class IdentityTokenAuthentication(authentication.BaseAuthentication):
    """Authenticates a front end by an identity token, which the server of its source signed."""

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        """Return the principal of the account, and "token"; return None without a token.

        Raises AuthenticationFailed for a token that is wrong, expired or of no account.
        """
        token = request.headers.get(TOKEN_HEADER)
        if not token:
            return None
        source = _source_of(token)
        if source is None:
            raise exceptions.AuthenticationFailed("This identity token names no source.")
        try:
            number = identity_tokens.verify(
                token, source_id=source.pk, secrets=source.identity_secrets
            )
        except identity_tokens.ExpiredToken:
            raise exceptions.AuthenticationFailed("This identity token has expired.") from None
        except identity_tokens.InvalidToken:
            raise exceptions.AuthenticationFailed("This identity token is not valid.") from None
        return _account_principal(sender_of_source(source, is_trusted=False), number), "token"


def principal_to_read_for(request: Request | HttpRequest, sender: Sender) -> Principal | None:
    """Return the principal of a server that reads for one account; None without the header.

    Raises PermissionDenied if the key does not have the scope.
    """
    number = request.headers.get(READ_FOR_HEADER)
    if number is None:
        return None
    if READ_FOR not in sender.scopes:
        raise exceptions.PermissionDenied(f"This key does not have the scope {READ_FOR}.")
    return _account_principal(sender, number, reader=sender)


def _source_of(token: str) -> Source | None:
    source_id = identity_tokens.unverified_source_id(token)
    sources = Source.objects.select_related("space")
    return sources.filter(pk=source_id).first() if source_id is not None else None


def _account_principal(sender: Sender, number: str, *, reader: Sender | None = None) -> Principal:
    opened = _open_account(sender, number)
    return Principal(
        "customer",
        # Without personal data: the account has its id only once an event named it.
        f"account:{min(opened.account_ids)}" if opened else f"source:{sender.source_id}",
        opened=opened,
        session_kind="account",
        reader=reader,
    )


def _open_account(sender: Sender, number: str) -> OpenedRecord | None:
    """Return the part of a record that an account opens; None if no event named the account."""
    account = stored_account(number, sender)
    # A number that is spelled like an address is a mailbox, which the source has not proved.
    if account is None or not is_number(account[0]):
        return None
    kind, value = account
    proved = Identifier.objects.filter(
        kind=kind, value=value, evidence=Evidence.VERIFIED, erasure=None
    ).values_list("id", flat=True)
    records = read_openable(SessionProofs(None, ("", ""), tuple(proved))).open().records
    return next((record for record in records if set(proved) & record.identifier_ids), None)
