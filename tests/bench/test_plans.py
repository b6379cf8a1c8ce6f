"""Every statement gives the same rows, whichever way Postgres runs it."""

import pytest

from bench.plans import compare
from customers.sql import raw_connection

pytestmark = pytest.mark.django_db

STATEMENTS = list(compare.statements())


def test_every_statement_file_has_parameters():
    assert [one.name for one in STATEMENTS if one.params is None] == []


@pytest.mark.slow
@pytest.mark.parametrize("rows", [0, 1_000])
def test_every_statement_gives_the_same_rows_under_every_plan(rows):
    connection = raw_connection()
    compare.fill(connection, rows) if rows else compare.analyze(connection)

    errors = {one.name: error for one in STATEMENTS if (error := compare.fails(connection, one))}
    differences = [d for one in STATEMENTS for d in compare.differences(connection, one)]

    assert errors == {}
    assert [str(difference) for difference in differences] == []
