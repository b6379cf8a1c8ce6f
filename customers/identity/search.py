"""Finding a customer by whatever somebody says: a name, a number, an address, a code.

What is exactly somebody's comes first; only where nothing is, what was typed may be wrong.
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
# How many names are compared: more namesakes are no choice, and comparing takes its time.
COMPARED = 2_000
# How like a name has to be. Half the sounds: "nor de wit" still finds Noor.
LIKENESS = 0.5
# How long comparing may take. Where all addresses of a shop are alike but for a number, all of
# a million are like any other, and one search would keep a core for seconds.
PATIENCE = "1s"
LONGEST = 100

_LETTERS = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W_]+")
_NO_DIGIT = re.compile(r"\D")


class Found(msgspec.Struct, frozen=True):
    """A customer who may be meant, and what says so: a kind of identifier, or "name"."""

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
) -> list[Found]:
    """Return the customers who may be meant, exact ones first.

    Who may not see addresses finds nobody by them either: a search that tells whose number
    it is would be a way to see it.
    """
    return _described(_hits(text, region, sees_addresses, limit)[:limit], today)


def search_page(
    text: str,
    *,
    region: str,
    today: date,
    sees_addresses: bool,
    cursor: str | None,
    limit: int,
) -> Page[Found]:
    """Return a page of the same: who is likest first, so a cursor is a place in that row."""
    start = read_cursor(cursor, int) if cursor else 0
    if not 0 <= start < COMPARED:
        raise BadCursor
    end = min(start + limit, COMPARED)
    hits = _hits(text, region, sees_addresses, end + 1)
    return Page(
        _described(hits[start:end], today),
        write_cursor(end) if len(hits) > end and end < COMPARED else None,
        write_cursor(max(0, start - limit)) if start else None,
    )


def _hits(text: str, region: str, sees_addresses: bool, limit: int) -> list[_Hit]:
    text = " ".join(text.split())[:LONGEST]
    # A text that Postgres would not take names nobody.
    if not text or not text.isprintable():
        return []
    return _once(_exact(text, region, sees_addresses) or _near(text, sees_addresses, limit))


def described(ids: Sequence[UUID], *, today: date) -> list[Found]:
    """Return live records as a search shows them, in the order of their ids as given."""
    return _described([_Hit(id_, "phone") for id_ in ids], today)


def _exact(text: str, region: str, sees_addresses: bool) -> list[_Hit]:
    kinds = [("order", text), ("order", text.upper()), ("card", text)]
    if sees_addresses:
        kinds += [("email", text), ("phone", text), ("phone", f"+{_NO_DIGIT.sub('', text)}")]
    wanted = {
        (kind, spelled) for kind, value in kinds if (spelled := normalize(kind, value, region))
    }
    # A name is no number: nothing to look up.
    if not any(character.isdigit() or character == "@" for character in text):
        return []
    return [
        _Hit(match.id, kind, match.is_verified)
        for kind, value in sorted(wanted)
        for match in lookup.matches(kind, value)
    ]


def _near(text: str, sees_addresses: bool, limit: int) -> list[_Hit]:
    if "@" in text:
        return _mailboxes(text, limit) if sees_addresses else []
    if _LETTERS.search(text):
        return _names(text, limit)
    return _numbers(text, limit) if sees_addresses else []


def _names(text: str, limit: int) -> list[_Hit]:
    params = {"text": text, "most": COMPARED, "limit": limit}
    # Trigrams say nothing of fewer letters.
    words = [word for word in _WORD.findall(text) if len(word) > 2][:6]
    if words:
        narrow = [
            f"AND plain LIKE '%%' || customers_plain(%(word{n})s) || '%%'"
            for n in range(len(words))
        ]
        statement = sql.load("search_words").replace("/* words */", " ".join(narrow))
        said = {f"word{number}": word for number, word in enumerate(words)}
        if rows := db.rows(statement, params | said):
            return [_Hit(id_, "name") for id_, _ in rows]
    return [_Hit(id_, "name", is_exact=False) for id_, _ in _guess("search_typos", params)]


def _guess(statement: str, params: Mapping[str, object]) -> list[tuple[Any, ...]]:
    """Return what sounds like it; nothing where so much does that comparing takes too long."""
    try:
        with transaction.atomic():
            _accept(LIKENESS)
            return db.rows(sql.load(statement), params)
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            return []
        raise


def _accept(likeness: float) -> None:
    """Say, for this transaction, how alike is alike, and how long comparing may take."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pg_trgm.word_similarity_threshold', %(like)s, true),"
            " set_config('pg_trgm.similarity_threshold', %(like)s, true),"
            " set_config('statement_timeout', %(patience)s, true)",
            {"like": str(likeness), "patience": PATIENCE},
        )


def _mailboxes(text: str, limit: int) -> list[_Hit]:
    address = text.lower()
    params = {"mailbox": address.partition("@")[0], "address": address, "most": COMPARED}
    rows = _guess("search_mailboxes", params | {"limit": limit})
    return [_Hit(id_, "email", is_verified, is_exact=False) for id_, _, is_verified in rows]


def _numbers(text: str, limit: int) -> list[_Hit]:
    # The zero that one dials at home is not part of the number abroad.
    digits = _NO_DIGIT.sub("", text).lstrip("0")
    if len(digits) < 4:
        return []
    params = {"tail": digits[::-1], "limit": limit}
    rows = db.rows(sql.load("search_numbers"), params)
    return [_Hit(id_, "phone", is_verified, is_exact=False) for id_, _, is_verified in rows]


def _once(hits: Iterable[_Hit]) -> list[_Hit]:
    first: dict[UUID, _Hit] = {}
    for hit in hits:
        first.setdefault(hit.id, hit)
    return list(first.values())


def _described(hits: Sequence[_Hit], today: date) -> list[Found]:
    params = {"ids": [hit.id for hit in hits], "today": today}
    rows = {row[0]: row for row in db.rows(sql.load("describe_customers"), params)}
    return [
        Found(
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
