"""Reads what Postgres counts about the test database."""

import time

from django.db import connection


def count_deadlocks() -> int:
    """Return the number of deadlocks so far. Postgres adds up its statistics once a second."""
    time.sleep(1.1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]
