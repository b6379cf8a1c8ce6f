"""One statement a file, and a header that says what it is for."""

import re

import pytest
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from customers.sql import body
from tests.architecture.tree import APPS, ROOT, files

STATEMENTS = [path for path in files("*.sql") if path.parts[0] in APPS]


def test_there_are_statements():
    assert STATEMENTS


@pytest.mark.parametrize("path", STATEMENTS, ids=str)
def test_a_statement_says_what_it_is_for(path):
    first = (ROOT / path).read_text().splitlines()[0]

    assert first.startswith("-- "), first
    assert len(first.split()) > 3, first


@pytest.mark.parametrize("path", STATEMENTS, ids=str)
def test_a_statement_is_short_enough_to_be_taken_apart_once(path):
    statement = body(ROOT / path)

    assert not statement.startswith("--")
    assert len(statement) <= MAX_CACHED_STATEMENT_LENGTH


@pytest.mark.parametrize("path", STATEMENTS, ids=str)
def test_a_statement_is_used(path):
    """A statement nobody loads is a statement nobody tries."""
    # Some are loaded by a name that is put together: f"keep_{table}".
    names = (path.stem, f'f"{path.stem.partition("_")[0]}_{{')
    texts = [(ROOT / module).read_text() for module in files("*.py") if module.parts[0] in APPS]

    assert any(name in text for text in texts for name in names)


def test_no_statement_casts_a_column_to_a_type_that_may_refuse_its_value():
    """Postgres may evaluate a cast in a join for any row, before the WHERE clause leaves it out."""
    refusing = r"\b[a-z]\w*\.\w+::(?!text|varchar|jsonb?\b)"

    casts = [
        f"{path}: {cast}"
        for path in STATEMENTS
        for cast in re.findall(rf"{refusing}\w+", body(ROOT / path))
    ]

    assert casts == []
