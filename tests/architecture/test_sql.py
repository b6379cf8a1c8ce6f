"""Each SQL file has one statement, and a header with its purpose."""

import re

from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from customers.sql import body
from tests.architecture.tree import APPS, ROOT, files

STATEMENTS = [path for path in files("*.sql") if path.parts[0] in APPS]


def test_there_are_statements():
    assert STATEMENTS


def test_every_statement_has_a_header_that_describes_it():
    headers = {path: (ROOT / path).read_text().splitlines()[0] for path in STATEMENTS}

    assert [
        f"{path}: {header}"
        for path, header in headers.items()
        if not header.startswith("-- ") or len(header.split()) <= 3
    ] == []


def test_psycopg_can_cache_every_statement():
    bodies = {path: body(ROOT / path) for path in STATEMENTS}

    assert [path for path, text in bodies.items() if text.startswith("--")] == []
    assert [path for path, text in bodies.items() if len(text) > MAX_CACHED_STATEMENT_LENGTH] == []


def test_every_statement_is_loaded_somewhere():
    code = "".join((ROOT / path).read_text() for path in files("*.py") if path.parts[0] in APPS)

    # Some are loaded by a composed name, such as f"keep_{table}".
    assert [
        path
        for path in STATEMENTS
        if path.stem not in code and f'f"{path.stem.partition("_")[0]}_{{' not in code
    ] == []


def test_no_statement_casts_a_column_to_a_type_that_may_refuse_its_value():
    """Postgres may evaluate a cast in a join for any row, before the WHERE clause leaves it out."""
    refusing = r"\b[a-z]\w*\.\w+::(?!text|varchar|jsonb?\b)"

    casts = [
        f"{path}: {cast}"
        for path in STATEMENTS
        for cast in re.findall(rf"{refusing}\w+", body(ROOT / path))
    ]

    assert casts == []
