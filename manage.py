#!/usr/bin/env python
import os
import sys

from django.apps import apps
from django.core.management import execute_from_command_line
from django.db import connections


def close_pools() -> None:
    """Close the pools of connections, whose threads the interpreter would wait for at its end."""
    for connection in connections.all(initialized_only=True):
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Nobody waits for a command as they wait for a page: a migration may take its time.
    os.environ.setdefault("STATEMENT_TIMEOUT", "0")
    if sys.argv[1:2] == ["verify_receipt"]:
        # Whoever holds a receipt may have nothing else of ours.
        os.environ.setdefault("BUTLER_CHECK", "1")
    try:
        execute_from_command_line(sys.argv)
    finally:
        if apps.ready:
            close_pools()
