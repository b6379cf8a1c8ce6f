"""Locks names until the transaction ends."""

import hashlib

from django.db import connection


def take_advisory_locks(*names: bytes) -> None:
    """Lock these names until the transaction ends, so that their requests are counted in turn."""
    numbers = sorted(
        int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), signed=True) for name in names
    )
    # unnest keeps the order, so that two requests with the same names cannot wait for each other.
    lock = "SELECT pg_advisory_xact_lock(number) FROM unnest(%s::bigint[]) AS number"
    with connection.cursor() as cursor:
        cursor.execute(lock, [numbers])
