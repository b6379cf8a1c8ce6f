"""Reads the viewers that proved an account of a source, and what the account opens."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import msgspec

from channels.live import postgres
from channels.live.access import StreamOpening, Viewer
from customers import sql
from customers.access import identity_tokens
from customers.access.account_proofs import AccountProof, is_signed_by, proof_by_key, proof_by_token
from customers.identity.openable_graph import SessionProofs, openable_graph, openable_params
from customers.types import Sender

READ_IDENTITY_SOURCES = postgres.load_statement("read_identity_sources")
FIND_ACCOUNTS = postgres.load_statement("find_accounts")
FIND_KEY = postgres.load_statement("find_key")
READ_OPENABLE = sql.load("read_openable").encode()

type Fetch = Callable[[bytes, Mapping[str, Any]], Awaitable[list[tuple[Any, ...]]]]

_decode_proof = msgspec.json.Decoder(AccountProof).decode


class KeyViewer(msgspec.Struct, frozen=True):
    """A valid key, and what it may read."""

    viewer: Viewer
    may_read: bool
    may_read_for: bool
    sender: Sender


class AccountReader:
    """The queries about accounts. Each raises DatabaseUnavailable without Postgres."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def find_key(self, digest: bytes) -> KeyViewer | None:
        """Return the viewer of a key by its digest; None if there is no valid one."""
        rows = await self._fetch(FIND_KEY, {"digest": digest})
        if not rows:
            return None
        key_id, may_read, may_read_for, *source = rows[0]
        return KeyViewer(
            Viewer(key_id=key_id, reader=f"source:{source[1]}"),
            may_read,
            may_read_for,
            _sender(*source),
        )

    async def viewer_by_token(self, token: str) -> Viewer:
        """Return the viewer of an identity token. Raises identity_tokens.InvalidToken."""
        source_id = identity_tokens.unverified_source_id(token)
        ids = [] if source_id is None else [source_id]
        rows = await self._fetch(READ_IDENTITY_SOURCES, {"source_ids": ids}) if ids else []
        sender, secrets = (_sender(*rows[0][:-1]), rows[0][-1]) if rows else (None, ())
        return await self._viewer(proof_by_token(token, sender, secrets=secrets))

    async def viewer_for(self, number: str, key: KeyViewer, *, key_digest: bytes) -> Viewer:
        """Return the viewer of a key that reads for an account of its source."""
        proof = proof_by_key(number, key.sender, key_digest=key_digest)
        return await self._viewer(proof, key)

    async def viewer_by_ticket(self, account: bytes) -> Viewer | None:
        """Return the viewer of a ticket for an account; None if its key is not valid any more."""
        proof = _decode_proof(account)
        if not proof.key_digest:
            return await self._viewer(proof)
        key = await self.find_key(bytes.fromhex(proof.key_digest))
        return await self._viewer(proof, key) if key and key.may_read_for else None

    async def read_opening(self, proof: AccountProof) -> StreamOpening:
        """Return what an account opens, without the groupings on which this depends."""
        rows = await self._fetch(FIND_ACCOUNTS, {"kind": proof.kind, "value": proof.value})
        proofs = SessionProofs(None, ("", ""), tuple(id_ for (id_,) in rows))
        [row] = await self._fetch(READ_OPENABLE, openable_params(proofs))
        opened = openable_graph(*row).proved_record()
        if opened is None:
            return StreamOpening(None, None, ())
        return StreamOpening(str(opened.live_id), None if opened.is_whole else opened, ())

    async def valid_proofs(
        self, viewers: Collection[Viewer], *, reading_keys: Collection[int]
    ) -> frozenset[AccountProof]:
        """Return the proofs of these viewers that still hold.

        reading_keys: the keys that may still read for accounts
        """
        proofs = [(viewer, viewer.account) for viewer in viewers if viewer.account]
        source_ids = {proof.source_id for _, proof in proofs if proof.secret_digest}
        rows = (
            await self._fetch(READ_IDENTITY_SOURCES, {"source_ids": sorted(source_ids)})
            if source_ids
            else []
        )
        secrets = {source_id: secrets for source_id, *_, secrets in rows}
        return frozenset(
            proof
            for viewer, proof in proofs
            if viewer.key_id in reading_keys
            or is_signed_by(proof, secrets.get(proof.source_id, ()))
        )

    async def _viewer(self, proof: AccountProof | None, key: KeyViewer | None = None) -> Viewer:
        viewer = Viewer(account=proof, is_of_account=True)
        if key:
            viewer.key_id, viewer.reader = key.viewer.key_id, key.viewer.reader
        if proof:
            viewer.opening = await self.read_opening(proof)
        return viewer


def _sender(source_id: int, name: str, channel: str, region: str) -> Sender:
    return Sender(source_id, name, channel, default_region=region or None)
