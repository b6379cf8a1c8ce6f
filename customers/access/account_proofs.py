"""The proof by which a front end or a server reads for one account of a source. No database.

REST and streams accept the same proofs: an identity token of the account, or a key with the scope
`read-for` that names the account.
"""

from collections.abc import Sequence

import msgspec

from customers.access import identity_tokens, keys
from customers.identity.families import is_number
from customers.identity.identifier_keys import stored_account
from customers.types import Sender


class AccountProof(msgspec.Struct, frozen=True):
    """An account that a reader proved, and what the proof depends on."""

    source_id: int
    # The stored identifier of the account.
    kind: str
    value: str
    # Of a server: the digest of its key, as hexadecimal digits.
    key_digest: str = ""
    # Of a front end: the digest of the secret that signed its token, and the end of the token in
    # seconds since 1970.
    secret_digest: str = ""
    ends_at: int = 0


def proof_by_token(
    token: str, sender: Sender | None, *, secrets: Sequence[str]
) -> AccountProof | None:
    """Return what an identity token proves; None if it names no account number.

    sender: the source that the token names, None if there is none
    secrets: the identity secrets of the source
    Raises identity_tokens.InvalidToken.
    """
    if sender is None:
        raise identity_tokens.UnknownSource
    verified = identity_tokens.verify_token(token, source_id=sender.source_id, secrets=secrets)
    return _proof(
        verified.number,
        sender,
        secret_digest=_digest(verified.secret),
        ends_at=verified.ends_at,
    )


def proof_by_key(number: str, sender: Sender, *, key_digest: bytes) -> AccountProof | None:
    """Return what a key with the scope `read-for` proves; None if it names no account number."""
    return _proof(number, sender, key_digest=key_digest.hex())


def is_signed_by(proof: AccountProof, secrets: Sequence[str]) -> bool:
    """Tell whether one of these secrets signed the token of a proof."""
    return proof.secret_digest in map(_digest, secrets)


def _proof(
    number: str, sender: Sender, *, key_digest: str = "", secret_digest: str = "", ends_at: int = 0
) -> AccountProof | None:
    account = stored_account(number, sender)
    # A number that is spelled like an address is a mailbox, which the source has not proved.
    if account is None or not is_number(account[0]):
        return None
    return AccountProof(sender.source_id, *account, key_digest, secret_digest, ends_at)


def _digest(secret: str) -> str:
    return keys.digest(secret).hex()
