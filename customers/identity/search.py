"""Finds customers by a name, a number, an address or a code.

The search looks for exact matches first. Only if there are none, it looks for similar names,
numbers and addresses.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg.errors
from django.db import OperationalError, connection, transaction

from customers import db, sql
from customers.identity import lookup
from customers.identity.normalize import normalize
from customers.queries.pages import BadCursor, Page, read_cursor, write_cursor

LIMIT = 20
# The largest number of names that a search compares, to limit its time.
COMPARED_LIMIT = 2_000
# A name has to share at least half of its trigrams: "nor de wit" finds Noor de Wit.
SIMILARITY_THRESHOLD = 0.5
# The time limit for comparing. If the addresses of a shop differ only in a number, a million
# addresses are similar to each other, and one search would use a processor core for seconds.
STATEMENT_TIMEOUT = "1s"
MAX_TEXT_LENGTH = 100

_LETTERS = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W_]+")
_NO_DIGIT = re.compile(r"\D")


class CustomerMatch(msgspec.Struct, frozen=True):
    """A customer that a search found. `found_by` is a kind of identifier, or "name"."""

    id: UUID
    found_by: str
    is_verified: bool
    is_exact: bool
    name: str
    language: str
    visit_date: date | None
    visit_name: str
    last_seen_at: datetime | None


class _Hit(msgspec.Struct, frozen=True):
    id: UUID
    found_by: str
    is_verified: bool = True
    is_exact: bool = True


def search(
    text: str, *, region: str, today: date, sees_addresses: bool, limit: int = LIMIT
) -> list[CustomerMatch]:
    """Return the customers that match the text.

    sees_addresses: if false, the search ignores addresses and phone numbers. Otherwise staff
    without the permission to see addresses could find out whose number it is.
    """
    return _describe(_hits(text, region, sees_addresses, limit)[:limit], today)


def search_page(
    text: str,
    *,
    region: str,
    today: date,
    sees_addresses: bool,
    cursor: str | None,
    limit: int,
) -> Page[CustomerMatch]:
    """Return a page of the matches, best first. The cursor is a position in the list of matches.

    Raises BadCursor.
    """
    start = read_cursor(cursor, int) if cursor else 0
    if not 0 <= start < COMPARED_LIMIT:
        raise BadCursor
    end = min(start + limit, COMPARED_LIMIT)
    hits = _hits(text, region, sees_addresses, end + 1)
    return Page(
        _describe(hits[start:end], today),
        write_cursor(end) if len(hits) > end and end < COMPARED_LIMIT else None,
        write_cursor(max(0, start - limit)) if start else None,
    )


def _hits(text: str, region: str, sees_addresses: bool, limit: int) -> list[_Hit]:
    text = " ".join(text.split())[:MAX_TEXT_LENGTH]
    # Postgres does not accept some unprintable characters, and no name contains them.
    if not text or not text.isprintable():
        return []
    return _distinct(_exact(text, region, sees_addresses) or _similar(text, sees_addresses, limit))


def describe(ids: Sequence[UUID], *, today: date) -> list[CustomerMatch]:
    """Return these live records as search results, in the order of the given ids."""
    return _describe([_Hit(id_, "phone") for id_ in ids], today)


def _exact(text: str, region: str, sees_addresses: bool) -> list[_Hit]:
    kinds = [("order", text), ("order", text.upper()), ("card", text), ("user_id", text)]
    if sees_addresses:
        kinds += [("email", text), ("phone", text), ("phone", f"+{_NO_DIGIT.sub('', text)}")]
    identifiers = {
        (kind, normalized)
        for kind, value in kinds
        if (normalized := normalize(kind, value, region))
    }
    # A text without a digit and without @ is a name. No identifier can match it.
    if not any(character.isdigit() or character == "@" for character in text):
        return []
    return [
        _Hit(match.id, kind, match.is_verified)
        for kind, value in sorted(identifiers)
        for match in lookup.find_matches(kind, value)
    ]


def _similar(text: str, sees_addresses: bool, limit: int) -> list[_Hit]:
    if "@" in text:
        return _mailboxes(text, limit) if sees_addresses else []
    if _LETTERS.search(text):
        return _names(text, limit)
    return _numbers(text, limit) if sees_addresses else []


def _names(text: str, limit: int) -> list[_Hit]:
    params = {"text": text, "compared": COMPARED_LIMIT, "limit": limit}
    # Words of one or two letters are too short for trigrams.
    words = [word for word in _WORD.findall(text) if len(word) > 2][:6]
    if words:
        narrow = [
            f"AND plain LIKE '%%' || customers_plain(%(word{n})s) || '%%'"
            for n in range(len(words))
        ]
        statement = sql.load("search_names").replace("/* words */", " ".join(narrow))
        word_params = {f"word{number}": word for number, word in enumerate(words)}
        if rows := db.rows(statement, params | word_params):
            return [_Hit(id_, "name") for id_, _ in rows]
    return [
        _Hit(id_, "name", is_exact=False)
        for id_, _ in _rows_in_time("search_similar_names", params)
    ]


def _rows_in_time(statement: str, params: Mapping[str, object]) -> list[tuple[Any, ...]]:
    """Return the rows of a similarity search; an empty list if it exceeds the time limit."""
    try:
        with transaction.atomic():
            _set_similarity_limits()
            return db.rows(sql.load(statement), params)
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            return []
        raise


def _set_similarity_limits() -> None:
    """Set the similarity thresholds and the time limit for this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pg_trgm.word_similarity_threshold', %(threshold)s, true),"
            " set_config('pg_trgm.similarity_threshold', %(threshold)s, true),"
            " set_config('statement_timeout', %(timeout)s, true)",
            {"threshold": str(SIMILARITY_THRESHOLD), "timeout": STATEMENT_TIMEOUT},
        )


def _mailboxes(text: str, limit: int) -> list[_Hit]:
    address = text.lower()
    params = {
        "mailbox": address.partition("@")[0],
        "address": address,
        "compared": COMPARED_LIMIT,
    }
    rows = _rows_in_time("search_mailboxes", params | {"limit": limit})
    return [_Hit(id_, "email", is_verified, is_exact=False) for id_, _, is_verified in rows]


def _numbers(text: str, limit: int) -> list[_Hit]:
    # The leading zero of a national number is not part of the international number.
    digits = _NO_DIGIT.sub("", text).lstrip("0")
    if len(digits) < 4:
        return []
    params = {"tail": digits[::-1], "limit": limit}
    rows = db.rows(sql.load("search_phone_numbers"), params)
    return [_Hit(id_, "phone", is_verified, is_exact=False) for id_, _, is_verified in rows]


def _distinct(hits: Iterable[_Hit]) -> list[_Hit]:
    first: dict[UUID, _Hit] = {}
    for hit in hits:
        first.setdefault(hit.id, hit)
    return list(first.values())


def _describe(hits: Sequence[_Hit], today: date) -> list[CustomerMatch]:
    params = {"ids": [hit.id for hit in hits], "today": today}
    rows = {row[0]: row for row in db.rows(sql.load("describe_customers"), params)}
    return [
        CustomerMatch(
            id=hit.id,
            found_by=hit.found_by,
            is_verified=hit.is_verified,
            is_exact=hit.is_exact,
            name=row[1] or "",
            language=row[2] or "",
            visit_date=row[3],
            visit_name=row[4] or "",
            last_seen_at=row[5],
        )
        for hit in hits
        if (row := rows.get(hit.id))
    ]
