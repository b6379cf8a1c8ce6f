"""Signs and verifies receipts of ledger entries. Pure: no database, no network.

A receipt contains the entry, its place on the chain, and a signature (Ed25519) over both. Everybody
with the public key can check, without Butler, that no byte was changed.
"""

import base64
import json
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from customers.consent.hash_chain import GENESIS_DIGEST, NotCanonical, canonical_json, chain_digest

SCHEMA = "butler.receipt/1"
EXPORT_SCHEMA = "butler.ledger/1"
_FIELDS = frozenset(
    {"schema", "record", "seq", "previous", "digest", "document", "key_id", "signature"}
)
# Fields of a sealed link. The export includes them so that a missing link is detected.
_SEALED_FIELDS = frozenset({"record", "seq", "previous", "digest"})


class ChainLink(NamedTuple):
    """One entry at its place on a chain."""

    record: UUID
    seq: int
    previous: bytes
    digest: bytes
    # None: the entry is sealed, because the reader may not read it.
    document: Mapping[str, Any] | None


class Signer:
    """Signs receipts with a private key, given as 32 secret bytes."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()
        self.key_id = key_id(self.public)

    def receipt(self, link: ChainLink) -> dict[str, Any]:
        """Return the receipt of an entry. The same entry and key always give the same receipt."""
        receipt = {
            "schema": SCHEMA,
            **_link_fields(link),
            "document": link.document,
            "key_id": self.key_id,
        }
        signature = self._key.sign(canonical_json(receipt))
        return receipt | {"signature": base64.b64encode(signature).decode()}


def key_id(public: bytes) -> str:
    """Return the id of a public key: the first 16 hex digits of its SHA-256."""
    return sha256(public).hexdigest()[:16]


def build_export(chains: Sequence[Sequence[ChainLink]], signer: Signer) -> dict[str, Any]:
    """Return whole chains, with receipts for the entries that the reader may read."""
    return {
        "schema": EXPORT_SCHEMA,
        "chains": [
            [
                signer.receipt(link) if link.document is not None else _link_fields(link)
                for link in links
            ]
            for links in chains
        ],
    }


def _link_fields(link: ChainLink) -> dict[str, Any]:
    return {
        "record": str(link.record),
        "seq": link.seq,
        "previous": link.previous.hex(),
        "digest": link.digest.hex(),
    }


class UnreadableReceipt(ValueError):
    """The file is neither a receipt nor an export."""


class VerificationReport(NamedTuple):
    """The faults of a receipt or an export, and the numbers of receipts and sealed links."""

    receipts: int
    sealed: int
    faults: tuple[str, ...]
    # Ids of signing keys that the caller did not give. Their receipts cannot be verified.
    unknown_keys: tuple[str, ...]


def read_file(text: bytes) -> dict[str, Any]:
    """Read a receipt or an export; raise UnreadableReceipt if it is neither.

    An object with a repeated name is unreadable, because JSON parsers disagree on its value.
    """
    try:
        document = json.loads(text, object_pairs_hook=_unique_names)
    except (ValueError, RecursionError) as error:
        raise UnreadableReceipt(f"not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("schema") not in (SCHEMA, EXPORT_SCHEMA):
        raise UnreadableReceipt(f"not a receipt ({SCHEMA}) and not an export ({EXPORT_SCHEMA})")
    return document


def read_keys(text: bytes) -> dict[str, bytes]:
    """Return published keys by id; raise UnreadableReceipt if a key has a wrong id."""
    try:
        listed = json.loads(text, object_pairs_hook=_unique_names)["keys"]
        public_keys = [base64.b64decode(key["public_key"], validate=True) for key in listed]
        names = [key["key_id"] for key in listed]
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableReceipt(f"not a list of keys: {error!r}") from None
    if names != [key_id(key) for key in public_keys]:
        raise UnreadableReceipt("the id of a key does not match the key")
    return dict(zip(names, public_keys, strict=True))


def _unique_names(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("an object contains the same name twice")
    return members


def verify(document: Mapping[str, Any], keys: Mapping[str, bytes]) -> VerificationReport:
    """Return the faults of a receipt or an export. `keys` holds the trusted public keys by id."""
    if document["schema"] == SCHEMA:
        return _verify_chains([[document]], keys, are_whole=False)
    chains = document.get("chains")
    if not isinstance(chains, list) or not all(isinstance(links, list) for links in chains):
        raise UnreadableReceipt("the chains of the export are not a list of lists")
    return _verify_chains(chains, keys, are_whole=True)


def _verify_chains(
    chains: Sequence[Sequence[Any]], keys: Mapping[str, bytes], *, are_whole: bool
) -> VerificationReport:
    faults: list[str] = []
    unknown: set[str] = set()
    receipts = sealed = 0
    for links in chains:
        for link in links:
            if isinstance(link, dict) and link.keys() == _SEALED_FIELDS:
                sealed += 1
                continue
            receipts += 1
            faults += _receipt_faults(link, keys, unknown)
        if are_whole:
            faults += _chain_faults(links)
    return VerificationReport(receipts, sealed, tuple(faults), tuple(sorted(unknown)))


def _receipt_faults(receipt: Any, keys: Mapping[str, bytes], unknown: set[str]) -> list[str]:
    """Return the faults of one receipt, without its neighbors on the chain."""
    if not isinstance(receipt, dict) or receipt.keys() != _FIELDS or receipt["schema"] != SCHEMA:
        return ["an item of the list is not a receipt"]
    place = f"entry {receipt['seq']} of {receipt['record']}"
    try:
        signed = canonical_json(
            {name: value for name, value in receipt.items() if name != "signature"}
        )
        signature = base64.b64decode(receipt["signature"], validate=True)
        digest = chain_digest(
            bytes.fromhex(receipt["previous"]), canonical_json(receipt["document"])
        )
    except (NotCanonical, NotBase64, ValueError, TypeError) as error:
        return [f"{place}: {error}"]
    key = keys.get(receipt["key_id"])
    if not key:
        unknown.add(str(receipt["key_id"]))
    soundness = {
        "the signature does not match the receipt": not key or _is_signed(key, signature, signed),
        "the digest does not match the document": digest.hex() == receipt["digest"],
        "the document belongs to another place": _is_of_place(receipt),
    }
    return [f"{place}: {fault}" for fault, is_sound in soundness.items() if not is_sound]


def _is_of_place(receipt: Mapping[str, Any]) -> bool:
    """Tell whether the document names the place on the chain that the receipt names."""
    document, place = receipt["document"], (receipt["record"], receipt["seq"])
    return isinstance(document, dict) and (document.get("subject_id"), document.get("seq")) == place


def _is_signed(key: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _chain_faults(links: Sequence[Any]) -> list[str]:
    """Return the faults between the links of a chain: missing, moved or inserted links."""
    faults: list[str] = []
    previous, record = GENESIS_DIGEST.hex(), None
    for number, link in enumerate(links, 1):
        if not isinstance(link, dict) or not link.keys() >= _SEALED_FIELDS:
            return [*faults, f"item {number} is not a link of a chain"]
        place = f"entry {link['seq']} of {link['record']}"
        if link["seq"] != number:
            faults.append(f"{place}: it is at the place of entry {number}")
        if record not in (None, link["record"]):
            faults.append(f"{place}: it belongs to another chain")
        if link["previous"] != previous:
            faults.append(f"{place}: it does not follow the entry before it")
        previous, record = link["digest"], link["record"]
    return faults
