"""Pages by cursor: a page goes on where the last one ended, whatever came in meanwhile."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from django.db.models import Model, Q, QuerySet

LIMIT = 50
MAX_LIMIT = 200


class BadCursor(ValueError):
    """A cursor that this list did not write."""

    def __init__(self) -> None:
        super().__init__("This cursor is not one of this list.")


class Page[T](NamedTuple):
    """Some results, and the cursors of the pages around them (None: there is none)."""

    results: Sequence[T]
    next: str | None = None
    previous: str | None = None


class _Key(msgspec.Struct, array_like=True):
    """Where a page starts: `is_up` reads towards the newer rows."""

    is_up: bool
    values: list[Any]


def write_cursor(position: object) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(position)).decode().rstrip("=")


def read_cursor[P](text: str, shape: type[P]) -> P:
    """Read what write_cursor wrote; raise BadCursor for anything else."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.msgpack.decode(raw, type=shape)
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadCursor from error


def page_of[M: Model, T](
    rows: QuerySet[M],
    *,
    by: Mapping[str, type],
    shape: Callable[[M], T],
    cursor: str | None,
    limit: int,
) -> Page[T]:
    """Return one page of rows, newest first by these fields, which together are unique."""
    key = read_cursor(cursor, _Key) if cursor else None
    is_up = bool(key and key.is_up)
    if key:
        rows = rows.filter(_beyond(by, key))
    order = [field if is_up else f"-{field}" for field in by]
    found = list(rows.order_by(*order)[: limit + 1])
    has_more = len(found) > limit
    found = found[:limit]
    if is_up:
        found.reverse()
    if not found:
        return Page([])
    older = has_more or is_up
    newer = has_more if is_up else key is not None
    return Page(
        [shape(row) for row in found],
        _key_of(found[-1], by, is_up=False) if older else None,
        _key_of(found[0], by, is_up=True) if newer else None,
    )


def _key_of(row: Model, by: Mapping[str, type], *, is_up: bool) -> str:
    return write_cursor(_Key(is_up, [getattr(row, field) for field in by]))


def _beyond(by: Mapping[str, type], key: _Key) -> Q:
    if len(key.values) != len(by):
        raise BadCursor
    side = "gt" if key.is_up else "lt"
    beyond, equal = Q(), Q()
    for (field, kind), value in zip(by.items(), key.values, strict=True):
        try:
            typed: Any = msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            raise BadCursor from error
        beyond |= equal & Q((f"{field}__{side}", typed))
        equal &= Q((field, typed))
    return beyond
