"""Every statement gives the same rows, whichever way Postgres runs it."""

import pytest
from django.db import connection

from bench.plans import compare

pytestmark = pytest.mark.django_db

STATEMENTS = list(compare.statements())


def test_every_statement_file_has_parameters():
    assert [statement.name for statement in STATEMENTS if statement.params is None] == []


@pytest.mark.slow
@pytest.mark.parametrize("rows", [0, 1, 1_000])
def test_every_statement_gives_the_same_rows_under_every_plan(rows):
    connection.ensure_connection()
    raw_connection = connection.connection
    compare.fill(raw_connection, rows) if rows else compare.analyze(raw_connection)

    reports = [compare.compare(raw_connection, statement) for statement in STATEMENTS]
    problems = [problem for report in reports for problem in report.problems]

    assert not problems, "\n".join(problems)
    assert [plan for report in reports for plan in report.canceled] == []
