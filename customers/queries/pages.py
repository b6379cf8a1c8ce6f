"""Cursor pagination. A page starts where the last one ended, even if new rows were added."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from django.db.models import Model, Q, QuerySet

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


class BadCursor(ValueError):
    """A cursor that does not belong to this list."""

    def __init__(self) -> None:
        super().__init__("This cursor does not belong to this list.")


class Page[T](NamedTuple):
    """Some results, and the cursors of the next and previous pages (None: no such page)."""

    results: Sequence[T]
    next: str | None = None
    previous: str | None = None


class _PageKey(msgspec.Struct, array_like=True):
    """The start of a page. `is_forward` reads towards newer rows."""

    is_forward: bool
    values: list[Any]


def write_cursor(position: object) -> str:
    """Return the position as text for URLs. `read_cursor` reads it."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(position)).decode().rstrip("=")


def read_cursor[P](text: str, shape: type[P]) -> P:
    """Return the position from a cursor of write_cursor; raise BadCursor for any other text."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.msgpack.decode(raw, type=shape)
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadCursor from error


def read_page[M: Model, T](
    rows: QuerySet[M],
    *,
    order_by: Mapping[str, type],
    to_shape: Callable[[M], T],
    cursor: str | None,
    limit: int,
) -> Page[T]:
    """Return one page of rows, newest first by these fields, which together are unique.

    Raises BadCursor.
    """
    key = read_cursor(cursor, _PageKey) if cursor else None
    is_forward = bool(key and key.is_forward)
    page_rows, has_more = _read_rows(rows, order_by, key, limit)
    if not page_rows:
        return Page([])
    older = has_more or is_forward
    newer = has_more if is_forward else key is not None
    return Page(
        [to_shape(row) for row in page_rows],
        _cursor_of(page_rows[-1], order_by, is_forward=False) if older else None,
        _cursor_of(page_rows[0], order_by, is_forward=True) if newer else None,
    )


def _read_rows[M: Model](
    rows: QuerySet[M], order_by: Mapping[str, type], key: _PageKey | None, limit: int
) -> tuple[list[M], bool]:
    """Return the rows after a key, newest first, and whether more rows follow in its direction."""
    is_forward = bool(key and key.is_forward)
    if key:
        rows = rows.filter(_after_key(order_by, key))
    order = [field if is_forward else f"-{field}" for field in order_by]
    page_rows = list(rows.order_by(*order)[: limit + 1])
    has_more = len(page_rows) > limit
    page_rows = page_rows[:limit]
    return page_rows[::-1] if is_forward else page_rows, has_more


def _cursor_of(row: Model, order_by: Mapping[str, type], *, is_forward: bool) -> str:
    return write_cursor(_PageKey(is_forward, [getattr(row, field) for field in order_by]))


def _after_key(order_by: Mapping[str, type], key: _PageKey) -> Q:
    if len(key.values) != len(order_by):
        raise BadCursor
    side = "gt" if key.is_forward else "lt"
    beyond, equal = Q(), Q()
    for (field, kind), value in zip(order_by.items(), key.values, strict=True):
        try:
            typed: Any = msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            raise BadCursor from error
        beyond |= equal & Q((f"{field}__{side}", typed))
        equal &= Q((field, typed))
    return beyond
