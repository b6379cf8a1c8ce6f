"""Compares the rows of all statements under all plans, on tables of any size.

It creates a separate database on the server in DATABASE_URL, and drops it afterwards:
`make plans`, or `python -m bench.plans [--rows N] [--seconds N] [--dry-run] [STATEMENT …]`.
Exit code 0: all plans returned the same rows. 1: rows differed or a statement failed. 2: the time
was over before all statements had run.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from bench import servers, testbed
from bench.plans import compare
from bench.plans.compare import Statement

_DATABASE = "bench_plans"


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    statements = [
        statement
        for statement in compare.statements()
        if not options.statements or statement.path.stem in options.statements
    ]
    if options.dry_run:
        _announce(statements, options)
        return 0
    deadline, url = time.monotonic() + options.seconds, os.environ["DATABASE_URL"]
    database = servers.create_database(_DATABASE)
    try:
        database.manage("migrate", "--verbosity=0")
        testbed.setup_django(database)
        with psycopg.connect(database.url, options=_session(options)) as connection:
            _fill(connection, options.rows)
            return _compare(connection, statements, deadline)
    finally:
        testbed.close_pools()
        _drop(url)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.plans", description="Compare the rows of statements under all plans."
    )
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="number of customers (default: 1,000,000)"
    )
    parser.add_argument(
        "--seconds", type=int, default=5_400, help="time limit in seconds (default: 5,400)"
    )
    parser.add_argument(
        "--patience",
        type=int,
        default=4_000,
        help="time limit of a statement in ms (default: 4,000)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only print the plan of the run")
    parser.add_argument(
        "statements", nargs="*", metavar="STATEMENT", help="run only these statements"
    )
    return parser.parse_args(arguments)


def _announce(statements: Sequence[Statement], options: argparse.Namespace) -> None:
    runs = len(statements) * len(compare.PLANS)
    print(f"would fill tables for {options.rows:,} customers in the database {_DATABASE},")
    print(f"then run {len(statements)} statements under {len(compare.PLANS)} plans: {runs} runs")
    print(f"of {options.patience} ms at most, in {options.seconds} s at most")


def _session(options: argparse.Namespace) -> str:
    # The processes use the same settings (config.settings).
    return f"-c statement_timeout={options.patience} -c plan_cache_mode=force_generic_plan"


def _fill(connection: "psycopg.Connection[Any]", rows: int) -> None:
    started = time.monotonic()
    connection.execute("SET statement_timeout = 0")
    compare.fill(connection, rows)
    connection.execute("RESET statement_timeout")
    connection.commit()
    print(f"filled for {rows:,} customers in {time.monotonic() - started:.0f} s", flush=True)


def _compare(
    connection: "psycopg.Connection[Any]", statements: Sequence[Statement], deadline: float
) -> int:
    differences = 0
    for number, statement in enumerate(statements, start=1):
        if time.monotonic() > deadline:
            print(f"time limit reached: {len(statements) - number + 1} statements have not run")
            return 2
        report = compare.compare(connection, statement)
        connection.rollback()
        late = f", too slow: {'; '.join(report.canceled)}" if report.canceled else ""
        print(f"{number}/{len(statements)} {statement.name}{late}", flush=True)
        for problem in report.problems:
            print(f"  {problem}", flush=True)
        differences += len(report.problems)
    print(f"{len(statements)} statements, {differences} differences")
    return 1 if differences else 0


def _drop(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_DATABASE))
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
