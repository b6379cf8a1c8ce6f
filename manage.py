#!/usr/bin/env python
import os
import sys

from django.apps import apps
from django.core.management import execute_from_command_line
from django.db import connections


def close_pools() -> None:
    """Close the connection pools; otherwise the interpreter waits for their threads at its end."""
    for connection in connections.all(initialized_only=True):
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Commands have no statement timeout, because a migration may take long.
    os.environ.setdefault("STATEMENT_TIMEOUT", "0")
    if sys.argv[1:2] == ["verify_receipt"]:
        # The holder of a receipt may have no database and no Redis.
        os.environ.setdefault("BUTLER_CHECK", "1")
    try:
        execute_from_command_line(sys.argv)
    finally:
        if apps.ready:
            close_pools()
