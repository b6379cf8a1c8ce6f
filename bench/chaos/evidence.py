"""Reads the state of the database after a run, for the checker."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from bench.chaos.checker import Observations, StoredEvent, WatchedLog

# Butler's own events (merged, sent, withdrawn) have versions, too, but no client sent them.
EVENTS = """
SELECT customer_id::text, version, message_id, coalesce(body #>> '{context,owner}', ''),
       source_id <> %(source)s OR kind IN ('control', 'message')
  FROM customers_event
 WHERE customer_id IN (SELECT customer_id FROM customers_event WHERE source_id = %(source)s)
 ORDER BY customer_id, version
"""
CUSTOMER_VERSIONS = """
SELECT id::text, version
  FROM customers_customer
 WHERE id IN (SELECT customer_id FROM customers_event WHERE source_id = %s)
"""
QUARANTINED = "SELECT message_id FROM customers_quarantineditem WHERE source_id = %s"
# A number is `<source id>/<number>`. One source sends all numbers of a run.
CUSTOMERS = """
SELECT substring(value, strpos(value, '/') + 1), customer_id::text
  FROM customers_identifier
 WHERE kind = 'user_id' AND substring(value, strpos(value, '/') + 1) = ANY (%s)
"""


def read_observations(
    url: str, source_id: int, *, watched_logs: Sequence[WatchedLog] = (), differing_records: int = 0
) -> Observations:
    """Read all events and quarantined items of this source."""
    with psycopg.connect(url) as connection:
        return Observations(
            events=[StoredEvent(*row) for row in connection.execute(EVENTS, {"source": source_id})],
            customer_versions=dict(_pairs(connection, CUSTOMER_VERSIONS, source_id)),
            quarantined=[row[0] for row in connection.execute(QUARANTINED, [source_id])],
            watched_logs=watched_logs,
            differing_records=differing_records,
        )


def customer_ids(url: str, owners: Sequence[str]) -> Mapping[str, str]:
    """Return the customer ids of some owners."""
    with psycopg.connect(url) as connection:
        return dict(_pairs(connection, CUSTOMERS, list(owners)))


def customer_versions(url: str, customer_ids: Sequence[str]) -> Mapping[str, int]:
    """Return the versions of some customers."""
    query = "SELECT id::text, version FROM customers_customer WHERE id = ANY (%s::uuid[])"
    with psycopg.connect(url) as connection:
        return dict(_pairs(connection, query, list(customer_ids)))


def _pairs(connection: "psycopg.Connection[Any]", query: str, value: object) -> list[Any]:
    return connection.execute(query, [value]).fetchall()
