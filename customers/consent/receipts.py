"""Receipts of what a customer said, and whether one is genuine. Pure: no database, no network.

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

from customers.consent.hash_chain import START, NotCanonical, canonical, link

SCHEMA = "butler.receipt/1"
EXPORT = "butler.ledger/1"
_FIELDS = frozenset(
    {"schema", "record", "seq", "previous", "digest", "document", "key_id", "signature"}
)
# A link that is not the reader's to read: its place is kept, so that no gap can hide in it.
_SEALED = frozenset({"record", "seq", "previous", "digest"})


class Link(NamedTuple):
    """One entry at its place on a chain."""

    record: UUID
    seq: int
    previous: bytes
    digest: bytes
    # None: not for the reader.
    document: Mapping[str, Any] | None


class Signer:
    """What signs receipts: a key, by its 32 secret bytes."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes_raw()
        self.key_id = key_id(self.public)

    def receipt(self, one: Link) -> dict[str, Any]:
        """Return the receipt of an entry; the same entry and key have the same receipt for ever."""
        said = {"schema": SCHEMA, **_placed(one), "document": one.document, "key_id": self.key_id}
        signature = self._key.sign(canonical(said))
        return said | {"signature": base64.b64encode(signature).decode()}


def key_id(public: bytes) -> str:
    """Return the name of a public key: the beginning of its SHA-256, in hex."""
    return sha256(public).hexdigest()[:16]


def export(chains: Sequence[Sequence[Link]], signer: Signer) -> dict[str, Any]:
    """Return whole chains with a receipt of every entry that is the reader's."""
    return {
        "schema": EXPORT,
        "chains": [
            [signer.receipt(one) if one.document is not None else _placed(one) for one in links]
            for links in chains
        ],
    }


def _placed(one: Link) -> dict[str, Any]:
    return {
        "record": str(one.record),
        "seq": one.seq,
        "previous": one.previous.hex(),
        "digest": one.digest.hex(),
    }


class Unreadable(ValueError):
    """This is no receipt, so nothing can be said of it."""


class Verdict(NamedTuple):
    """What came of looking at a receipt or at an export: everything that is wrong with it."""

    receipts: int
    sealed: int
    faults: tuple[str, ...]
    # Keys that signed and were not given: of these receipts nothing can be said.
    unknown_keys: tuple[str, ...]


def read(text: bytes) -> dict[str, Any]:
    """Read a file; a name that comes twice is refused, because readers differ on which counts."""
    try:
        found = json.loads(text, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from None
    if not isinstance(found, dict) or found.get("schema") not in (SCHEMA, EXPORT):
        raise Unreadable(f"neither a receipt ({SCHEMA}) nor an export ({EXPORT})")
    return found


def read_keys(text: bytes) -> dict[str, bytes]:
    """Read published keys, by their names; a key under a name not its own is refused."""
    try:
        listed = json.loads(text, object_pairs_hook=_once_each)["keys"]
        keys = [base64.b64decode(one["public_key"], validate=True) for one in listed]
        names = [one["key_id"] for one in listed]
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"no list of keys: {error!r}") from None
    if names != [key_id(key) for key in keys]:
        raise Unreadable("a key is listed under a name that is not its own")
    return dict(zip(names, keys, strict=True))


def _once_each(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name comes twice in one object")
    return found


def verify(found: Mapping[str, Any], keys: Mapping[str, bytes]) -> Verdict:
    """Tell what is wrong with a receipt or an export, given the public keys that count."""
    if found["schema"] == SCHEMA:
        return _verdict([[found]], keys, are_whole=False)
    chains = found.get("chains")
    if not isinstance(chains, list) or not all(isinstance(links, list) for links in chains):
        raise Unreadable("an export holds a list of chains")
    return _verdict(chains, keys, are_whole=True)


def _verdict(
    chains: Sequence[Sequence[Any]], keys: Mapping[str, bytes], *, are_whole: bool
) -> Verdict:
    faults: list[str] = []
    unknown: set[str] = set()
    receipts = sealed = 0
    for links in chains:
        for one in links:
            if isinstance(one, dict) and one.keys() == _SEALED:
                sealed += 1
                continue
            receipts += 1
            faults += _faults_of(one, keys, unknown)
        if are_whole:
            faults += _faults_between(links)
    return Verdict(receipts, sealed, tuple(faults), tuple(sorted(unknown)))


def _faults_of(one: Any, keys: Mapping[str, bytes], unknown: set[str]) -> list[str]:
    """Look at one receipt by itself."""
    if not isinstance(one, dict) or one.keys() != _FIELDS or one["schema"] != SCHEMA:
        return ["something that is no receipt"]
    at = f"entry {one['seq']} of {one['record']}"
    try:
        signed = canonical({name: value for name, value in one.items() if name != "signature"})
        signature = base64.b64decode(one["signature"], validate=True)
        digest = link(bytes.fromhex(one["previous"]), canonical(one["document"]))
    except (NotCanonical, NotBase64, ValueError, TypeError) as error:
        return [f"{at}: {error}"]
    faults = []
    if key := keys.get(one["key_id"]):
        if not _is_signed(key, signature, signed):
            faults.append(f"{at}: the signature is not over these words")
    else:
        unknown.add(str(one["key_id"]))
    if digest.hex() != one["digest"]:
        faults.append(f"{at}: the digest is not that of the document")
    document = one["document"]
    if not isinstance(document, dict) or (document.get("subject_id"), document.get("seq")) != (
        one["record"],
        one["seq"],
    ):
        faults.append(f"{at}: the document belongs to another place")
    return faults


def _is_signed(key: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _faults_between(links: Sequence[Any]) -> list[str]:
    """Look at how the links of a chain hang together: none missing, none moved, none put in."""
    faults: list[str] = []
    previous, record = START.hex(), None
    for number, one in enumerate(links, 1):
        if not isinstance(one, dict) or not one.keys() >= _SEALED:
            return [*faults, f"link {number} is none"]
        at = f"entry {one['seq']} of {one['record']}"
        if one["seq"] != number:
            faults.append(f"{at}: it stands where entry {number} has to be")
        if record not in (None, one["record"]):
            faults.append(f"{at}: it is of another chain")
        if one["previous"] != previous:
            faults.append(f"{at}: it does not follow the entry before it")
        previous, record = one["digest"], one["record"]
    return faults
