"""Limits of JSON, checked before other code reads it. Pure; the cost of each check is bounded.

Butler stores a valid event with its original bytes. These limits therefore also prevent that
Postgres refuses an event, and with it the whole batch.
"""

import json
import logging
import math
import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from customers import fault_isolation

# An event above LARGE_EVENT gets a warning; above MAX_EVENT it goes to quarantine.
LARGE_EVENT = 32 * 1024
MAX_EVENT = 256 * 1024
MAX_DEPTH = 20
MAX_KEYS = 1024
MAX_KEY = 128
# Postgres stores at most 16,383 digits after the decimal point.
MAX_DIGITS = 16_000
# Integers beyond a double are refused. One of 4,000 digits takes as long as 1,000 short ones.
NUMBER_BOUND = 2**1024
_LOWER_NUMBER_BOUND = -NUMBER_BOUND
# msgspec recurses in C, and a thread of the Rust server has a stack of 2 MB: the process crashes
# at a depth of about 5,000. msgspec gets no text that may be nested deeper than this.
SAFE_NESTING = 1000
# The largest body of ordinary events has fewer. A body with more is probably an attack.
MAX_BRACKETS = 150_000

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Fields that a client changes at each attempt, or that name destinations. They are no part of
# the event's content, so the digest leaves them out.
VOLATILE = frozenset({"sentAt", "_metadata", "writeKey", "integrations"})

# Possessive quantifiers, so that no input causes backtracking.
STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# Also matches an unclosed string, so that the search does not rescan the rest for each quote.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
# Matches only at the start of a run of digits. A match attempt at each digit would take seconds.
_LONG_NUMBER = re.compile(rb"(?<![0-9])[0-9]{%d}|[eE][-+]?[0-9]{4}" % MAX_DIGITS)
_NOT_FINITE = re.compile(rb"\bNaN\b|\bInfinity\b")
_NOT_BRACKETS = bytes(sorted(set(range(256)) - set(b"{}[]")))

_encode = msgspec.json.Encoder(order="sorted").encode


class InvalidEvent(Exception):
    """The JSON cannot become an event; `reason` is a code, `detail` a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


# The errors of a reader for an invalid event, and for a defect of the reader itself.
READER_ERRORS: tuple[type[Exception], ...] = (InvalidEvent, *fault_isolation.FAULTS)
_log = logging.getLogger(__name__)


def as_invalid_event(error: Exception) -> InvalidEvent:
    """Return the reason why an event is invalid: `unreadable` for a defect of the reader."""
    if isinstance(error, InvalidEvent):
        return error
    description = fault_isolation.describe_fault(error)
    _log.error("event cannot be read: %s", description)
    return InvalidEvent(fault_isolation.UNREADABLE, description)


def text_field(fields: Mapping[str, Any], name: str, *, max_length: int) -> str:
    """Return the text or integer of a field as text, "" without it. Raises InvalidEvent."""
    value = fields.get(name)
    if value is None:
        return ""
    if type(value) is int:
        return str(value)
    if type(value) is not str or len(value) > max_length:
        raise InvalidEvent("wrong_type", f"{name} must be text of at most {max_length} characters")
    return value.strip()


def _finite_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise InvalidEvent("number_out_of_range", "a number is outside the range of a double")
    return number


# msgspec reads a float with a large exponent forty times slower than Python does.
_decode = msgspec.json.Decoder(float_hook=_finite_float).decode


def is_nested_safely(body: bytes) -> bool:
    """Return whether a recursive decoder can decode this text without a stack overflow."""
    count = body.count(b"{") + body.count(b"[")
    if count <= SAFE_NESTING:
        return True
    if count > MAX_BRACKETS:
        return False
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(plain.split(b'"')[::2]).translate(None, _NOT_BRACKETS)
    # Each round removes the innermost pairs, so the number of rounds is the depth of the text.
    for _ in range(MAX_DEPTH + 4):
        if not brackets:
            return True
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return False


def read_object(raw: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the decoded object of one item, and a digest that is the same after a resend.

    Raises InvalidEvent. The digest has 16 bytes, over the sorted object without VOLATILE.
    """
    raw = raw.removeprefix(BYTE_ORDER_MARK)
    if len(raw) > MAX_EVENT:
        raise InvalidEvent("too_large", f"{len(raw)} bytes; the limit is {MAX_EVENT}")
    document = _decode_checked(raw)
    if type(document) is not dict:
        raise InvalidEvent("not_an_object", "the event is not a JSON object")
    suspicious_numbers: list[float] = []
    if _count_keys(document, 1, suspicious_numbers) > MAX_KEYS:
        raise InvalidEvent("too_many_keys", f"more than {MAX_KEYS} keys")
    if any(suspicious_numbers):
        raise InvalidEvent("number_out_of_range", "a number is outside the range of a double")
    canonical = _canonical(document)
    # Without escaped colons, both texts have the same number of colons, unless a duplicate key
    # lost its first value.
    if raw.count(b":") != canonical.count(b":") or b"\\u003" in raw:
        _reject_duplicate_keys(raw)
    if b"\\u0000" in raw and b"\\u0000" in canonical.replace(b"\\\\", b""):
        raise InvalidEvent("nul_character", "a text contains U+0000")
    # 1e-99999 and 0e99999 decode to zero; Postgres refuses both.
    if suspicious_numbers or len(raw) > MAX_DIGITS:
        _reject_long_numbers(raw)
    return document, digest(document, canonical)


def digest(document: dict[str, Any], canonical: bytes | None = None) -> bytes:
    """Return the 16-byte digest of an object without the VOLATILE fields."""
    if canonical is None or not VOLATILE.isdisjoint(document):
        canonical = _encode({k: v for k, v in document.items() if k not in VOLATILE})
    return blake2b(canonical, digest_size=16).digest()


def _decode_checked(raw: bytes) -> Any:
    if not is_nested_safely(raw):
        raise InvalidEvent(
            "too_deep", f"nested deeper than {MAX_DEPTH}, or a bracket is not closed"
        )
    try:
        return _decode(raw)
    except msgspec.ValidationError as error:
        raise InvalidEvent("number_out_of_range", str(error)) from None
    except UnicodeDecodeError as error:
        raise InvalidEvent("invalid_utf8", str(error)) from None
    except msgspec.DecodeError as error:
        raise InvalidEvent(_malformed_reason(raw), str(error)) from None


def _canonical(document: dict[str, Any]) -> bytes:
    try:
        return _encode(document)
    except OverflowError as error:
        raise InvalidEvent("number_out_of_range", str(error)) from None


def _malformed_reason(raw: bytes) -> str:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return "invalid_utf8"
    if _NOT_FINITE.search(_STRINGS.sub(b'""', raw)):
        return "not_finite"
    return "lone_surrogate" if re.search(rb"\\u[dD][89a-fA-F]", raw) else "malformed"


def _count_keys(
    value: dict[str, Any] | list[Any], depth: int, suspicious_numbers: list[float]
) -> int:
    """Return the number of keys. Raises InvalidEvent for too much depth or a long key.

    Appends float zeros and integers beyond NUMBER_BOUND to `suspicious_numbers`.
    """
    if depth > MAX_DEPTH:
        raise InvalidEvent("too_deep", f"nested deeper than {MAX_DEPTH}")
    count = 0
    inside: Any = value
    if type(value) is dict:
        if value and max(map(len, value)) > MAX_KEY:
            raise InvalidEvent("key_too_long", f"a key has more than {MAX_KEY} characters")
        count = len(value)
        inside = value.values()
    for inner in inside:
        kind = type(inner)
        if kind is str:
            continue
        if kind is dict or kind is list:
            count += _count_keys(inner, depth + 1, suspicious_numbers)
        elif (kind is float and inner == 0) or (
            kind is int and not _LOWER_NUMBER_BOUND < inner < NUMBER_BOUND
        ):
            suspicious_numbers.append(inner)
    return count


def _reject_duplicate_keys(raw: bytes) -> None:
    # The json module reports every key. `len` avoids the conversion of numbers.
    def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = dict(pairs)
        if len(keys) != len(pairs):
            raise InvalidEvent("doubled_key", "an object has the same key twice")
        return keys

    json.loads(raw, object_pairs_hook=unique_keys, parse_int=len, parse_float=len)


def _reject_long_numbers(raw: bytes) -> None:
    if _LONG_NUMBER.search(_STRINGS.sub(b'""', raw)):
        raise InvalidEvent("number_out_of_range", "a number has too many digits")
