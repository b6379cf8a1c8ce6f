"""Chains documents, so that nobody can change, drop or reorder one unnoticed. Pure."""

import json
from hashlib import sha256

# The digest before the first document of a chain.
GENESIS_DIGEST = bytes(32)
# Readers that store numbers as floats (JavaScript) read a larger number wrongly.
_MAX_SAFE_INTEGER = 2**53 - 1


class NotCanonical(ValueError):
    """A value that JSON readers do not all read alike, such as a float."""


def canonical_json(document: object) -> bytes:
    """Write a document the one way that RFC 8785 allows; raise NotCanonical where it has none.

    document: str, int, bool, None, and lists and dicts of these
    """
    return _serialize(document).encode()


def chain_digest(previous: bytes, document: bytes) -> bytes:
    """Return the digest of a document at its place: after the one with digest `previous`."""
    return sha256(previous + document).digest()


def _serialize(value: object) -> str:
    match value:
        case None | bool():
            return json.dumps(value)
        case int():
            return _integer(value)
        case str():
            return _text(value)
        case list():
            return f"[{','.join(map(_serialize, value))}]"
        case dict():
            return _object(value)
    raise NotCanonical(f"{type(value).__name__} has no canonical form")


def _integer(value: int) -> str:
    if abs(value) > _MAX_SAFE_INTEGER:
        raise NotCanonical("a number above 2^53 is not read alike everywhere")
    return str(value)


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotCanonical("half of a surrogate pair is not text") from None
    return json.dumps(value, ensure_ascii=False)


def _object(value: dict[object, object]) -> str:
    names = [name for name in value if isinstance(name, str)]
    if len(names) < len(value):
        raise NotCanonical("names are text")
    # RFC 8785 sorts as JavaScript does: by UTF-16, where emoji come before some of the rest.
    names.sort(key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return f"{{{','.join(f'{_text(name)}:{_serialize(value[name])}' for name in names)}}}"
