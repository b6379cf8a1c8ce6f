"""`python -m bench.synthetic`: fills the database with invented customers (see `--help`)."""

import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # A COPY takes longer than the time limit of web requests.
    os.environ.setdefault("STATEMENT_TIMEOUT", "0")
    django.setup()

    from django.db import connections

    from bench.synthetic.command import Command

    try:
        Command().run_from_argv(["python -m", "bench.synthetic", *sys.argv[1:]])
    finally:
        for connection in connections.all(initialized_only=True):
            connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own


if __name__ == "__main__":
    main()
