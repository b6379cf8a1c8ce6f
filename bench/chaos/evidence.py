"""Reads from the database what is there after a run, for the checker."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from bench.chaos.checker import Facts, Stored, Watched

# Butler's own notes (joined, sent, withdrawn) take versions too; nobody sent them as events.
STORED = """
SELECT customer_id::text, version, message_id, coalesce(body #>> '{context,owner}', ''),
       source_id <> %(source)s OR kind IN ('control', 'message')
  FROM customers_event
 WHERE customer_id IN (SELECT customer_id FROM customers_event WHERE source_id = %(source)s)
 ORDER BY customer_id, version
"""
HEADS = """
SELECT id::text, version
  FROM customers_customer
 WHERE id IN (SELECT customer_id FROM customers_event WHERE source_id = %s)
"""
APART = "SELECT message_id FROM customers_quarantineditem WHERE source_id = %s"
CUSTOMERS = """
SELECT value, customer_id::text
  FROM customers_identifier
 WHERE kind = 'user_id' AND value = ANY (%s)
"""


def gather(
    url: str, source_id: int, *, watched: Sequence[Watched] = (), differing: int = 0
) -> Facts:
    """Read everything that this source ever stored."""
    with psycopg.connect(url) as connection:
        return Facts(
            stored=[Stored(*row) for row in connection.execute(STORED, {"source": source_id})],
            heads=dict(_pairs(connection, HEADS, source_id)),
            apart=[row[0] for row in connection.execute(APART, [source_id])],
            watched=watched,
            differing=differing,
        )


def customers(url: str, owners: Sequence[str]) -> Mapping[str, str]:
    """Find the records of some owners."""
    with psycopg.connect(url) as connection:
        return dict(_pairs(connection, CUSTOMERS, list(owners)))


def heads(url: str, customer_ids: Sequence[str]) -> Mapping[str, int]:
    """Read how far some logs are."""
    query = "SELECT id::text, version FROM customers_customer WHERE id = ANY (%s::uuid[])"
    with psycopg.connect(url) as connection:
        return dict(_pairs(connection, query, list(customer_ids)))


def _pairs(connection: "psycopg.Connection[Any]", query: str, value: object) -> list[Any]:
    return connection.execute(query, [value]).fetchall()
