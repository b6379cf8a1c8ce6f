"""Authenticates front ends and servers that read for one account of a source.

Such a reader proves the account, not a mailbox. It opens the account with what was said of it, and the
rest of the record only by confirmed links (docs/reference/identity.md, "What a proof opens").
"""

from django.http import HttpRequest
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from customers.access import identity_tokens
from customers.access.account_proofs import AccountProof, proof_by_key, proof_by_token
from customers.access.keys import READ_FOR
from customers.access.permissions import Principal
from customers.events.internal_sources import sender_of_source
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
        sender = sender_of_source(source, is_trusted=False) if source else None
        secrets = source.identity_secrets if source else ()
        try:
            proof = proof_by_token(token, sender, secrets=secrets)
        except identity_tokens.InvalidToken as error:
            raise exceptions.AuthenticationFailed(error.detail) from None
        assert sender is not None, "a token without a source is invalid"
        return _account_principal(sender, proof), "token"


def principal_to_read_for(
    request: Request | HttpRequest, sender: Sender, *, key_digest: bytes
) -> Principal | None:
    """Return the principal of a server that reads for one account; None without the header.

    key_digest: the digest of its key
    Raises PermissionDenied if the key does not have the scope.
    """
    number = request.headers.get(READ_FOR_HEADER)
    if number is None:
        return None
    if READ_FOR not in sender.scopes:
        raise exceptions.PermissionDenied(f"This key does not have the scope {READ_FOR}.")
    proof = proof_by_key(number, sender, key_digest=key_digest)
    return _account_principal(sender, proof, reader=sender)


def _source_of(token: str) -> Source | None:
    source_id = identity_tokens.unverified_source_id(token)
    sources = Source.objects.select_related("space")
    return sources.filter(pk=source_id).first() if source_id is not None else None


def _account_principal(
    sender: Sender, proof: AccountProof | None, *, reader: Sender | None = None
) -> Principal:
    opened = _open_account(proof) if proof else None
    return Principal(
        "customer",
        # Without personal data: the account has its id only once an event named it.
        f"account:{min(opened.account_ids)}" if opened else f"source:{sender.source_id}",
        opened=opened,
        session_kind="account",
        account_proof=proof,
        reader=reader,
    )


def _open_account(proof: AccountProof) -> OpenedRecord | None:
    """Return the part of a record that an account opens; None if no event named the account."""
    proved = Identifier.objects.filter(
        kind=proof.kind, value=proof.value, evidence=Evidence.VERIFIED, erasure=None
    ).values_list("id", flat=True)
    return read_openable(SessionProofs(None, ("", ""), tuple(proved))).proved_record()
