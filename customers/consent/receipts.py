"""Signs and verifies receipts of ledger entries. Pure: no database, no network.

A receipt holds the entry, its place on the chain, and a signature (Ed25519) over all of it;
whoever has the public key can tell whether a byte was changed, and nobody needs us for it.
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
# Fields of a link that the reader may not read: without them a gap could be hidden there.
_SEALED_FIELDS = frozenset({"record", "seq", "previous", "digest"})


class ChainLink(NamedTuple):
    """One entry at its place on a chain."""

    record: UUID
    seq: int
    previous: bytes
    digest: bytes
    # None: not for the reader.
    document: Mapping[str, Any] | None


class Signer:
    """Signs receipts with a private key, given as 32 secret bytes."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()
        self.key_id = key_id(self.public)

    def receipt(self, link: ChainLink) -> dict[str, Any]:
        """Return the receipt of an entry; the same entry and key always give the same receipt."""
        receipt = {
            "schema": SCHEMA,
            **_link_fields(link),
            "document": link.document,
            "key_id": self.key_id,
        }
        signature = self._key.sign(canonical_json(receipt))
        return receipt | {"signature": base64.b64encode(signature).decode()}


def key_id(public: bytes) -> str:
    """Return the name of a public key: the beginning of its SHA-256, in hex."""
    return sha256(public).hexdigest()[:16]


def build_export(chains: Sequence[Sequence[ChainLink]], signer: Signer) -> dict[str, Any]:
    """Return whole chains with a receipt of every entry that is the reader's."""
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
    """Everything that is wrong with a receipt or an export."""

    receipts: int
    sealed: int
    faults: tuple[str, ...]
    # Keys that signed and were not given: these receipts cannot be verified.
    unknown_keys: tuple[str, ...]


def read_file(text: bytes) -> dict[str, Any]:
    """Read a file; a name that comes twice in an object is refused: JSON readers differ on it."""
    try:
        document = json.loads(text, object_pairs_hook=_unique_names)
    except (ValueError, RecursionError) as error:
        raise UnreadableReceipt(f"not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("schema") not in (SCHEMA, EXPORT_SCHEMA):
        raise UnreadableReceipt(f"neither a receipt ({SCHEMA}) nor an export ({EXPORT_SCHEMA})")
    return document


def read_keys(text: bytes) -> dict[str, bytes]:
    """Read published keys, by their names; a key under a name not its own is refused."""
    try:
        listed = json.loads(text, object_pairs_hook=_unique_names)["keys"]
        public_keys = [base64.b64decode(key["public_key"], validate=True) for key in listed]
        names = [key["key_id"] for key in listed]
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableReceipt(f"no list of keys: {error!r}") from None
    if names != [key_id(key) for key in public_keys]:
        raise UnreadableReceipt("a key is listed under a name that is not its own")
    return dict(zip(names, public_keys, strict=True))


def _unique_names(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name comes twice in one object")
    return members


def verify(document: Mapping[str, Any], keys: Mapping[str, bytes]) -> VerificationReport:
    """Tell what is wrong with a receipt or an export, given the public keys that count."""
    if document["schema"] == SCHEMA:
        return _verify_chains([[document]], keys, are_whole=False)
    chains = document.get("chains")
    if not isinstance(chains, list) or not all(isinstance(links, list) for links in chains):
        raise UnreadableReceipt("an export holds a list of chains")
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
    """Return the faults of one receipt by itself."""
    if not isinstance(receipt, dict) or receipt.keys() != _FIELDS or receipt["schema"] != SCHEMA:
        return ["something that is no receipt"]
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
        "the signature is not over these words": not key or _is_signed(key, signature, signed),
        "the digest is not that of the document": digest.hex() == receipt["digest"],
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
    """Return the faults between the links of a chain: missing, moved or inserted ones."""
    faults: list[str] = []
    previous, record = GENESIS_DIGEST.hex(), None
    for number, link in enumerate(links, 1):
        if not isinstance(link, dict) or not link.keys() >= _SEALED_FIELDS:
            return [*faults, f"link {number} is none"]
        place = f"entry {link['seq']} of {link['record']}"
        if link["seq"] != number:
            faults.append(f"{place}: it stands where entry {number} has to be")
        if record not in (None, link["record"]):
            faults.append(f"{place}: it is of another chain")
        if link["previous"] != previous:
            faults.append(f"{place}: it does not follow the entry before it")
        previous, record = link["digest"], link["record"]
    return faults
