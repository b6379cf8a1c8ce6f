"""Every statement gives the same rows, whichever way Postgres runs it."""

import pytest

from bench.plans import compare
from customers.sql import raw_connection

pytestmark = pytest.mark.django_db

STATEMENTS = list(compare.statements())


def test_every_statement_file_has_parameters():
    assert [statement.name for statement in STATEMENTS if statement.params is None] == []


@pytest.mark.slow
@pytest.mark.parametrize("rows", [0, 1, 1_000])
def test_every_statement_gives_the_same_rows_under_every_plan(rows):
    connection = raw_connection()
    compare.fill(connection, rows) if rows else compare.analyze(connection)

    reports = [compare.compare(connection, statement) for statement in STATEMENTS]
    problems = [problem for report in reports for problem in report.problems]

    assert not problems, "\n".join(problems)
    assert [plan for report in reports for plan in report.canceled] == []
