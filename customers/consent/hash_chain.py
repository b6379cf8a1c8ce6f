"""Chains documents by digests, so that a changed, missing or moved document is detected. Pure."""

import json
from hashlib import sha256

# The digest before the first document of a chain.
GENESIS_DIGEST = bytes(32)
# Programs that store numbers as floats (JavaScript) change larger numbers when they read them.
_MAX_SAFE_INTEGER = 2**53 - 1


class NotCanonical(ValueError):
    """A value that different JSON parsers read differently, such as a float."""


def canonical_json(document: object) -> bytes:
    """Return the canonical JSON of a document (RFC 8785).

    document: str, int, bool, None, and lists and dicts of these; raises NotCanonical for others
    """
    return _serialize(document).encode()


def chain_digest(previous: bytes, document: bytes) -> bytes:
    """Return the SHA-256 digest of a document that follows the one with digest `previous`."""
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
        raise NotCanonical("some programs change a number above 2^53 when they read it")
    return str(value)


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotCanonical("a text contains half of a surrogate pair") from None
    return json.dumps(value, ensure_ascii=False)


def _object(value: dict[object, object]) -> str:
    names = [name for name in value if isinstance(name, str)]
    if len(names) < len(value):
        raise NotCanonical("a name in an object is not text")
    # RFC 8785 sorts names by UTF-16 code units, as JavaScript does. This order differs from
    # Python's: some characters, such as emoji, come earlier.
    names.sort(key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return f"{{{','.join(f'{_text(name)}:{_serialize(value[name])}' for name in names)}}}"
