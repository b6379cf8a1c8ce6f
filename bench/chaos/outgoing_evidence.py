"""Reads messages from the database, the relay and the carrier, for bench.chaos.outgoing."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import redis

from bench.carrier import Carrier
from bench.chaos.outgoing import (
    LedgerEntry,
    OutgoingObservations,
    Run,
    StoredMessage,
    TriggerEvent,
    Withdrawal,
)
from bench.sink import Sink

# Seconds after which Celery gives an unfinished task to another worker: the visibility timeout,
# and the interval of the check.
_REDELIVERY_SECONDS = 75

RUNS = """
SELECT run.id::text, run.automation_id, run.customer_id::text, coalesce(event.message_id, ''),
       run.status,
       ARRAY(SELECT DISTINCT channel
               FROM butler_decision AS decision,
                    LATERAL (SELECT decision.act ->> 'channel'
                             UNION SELECT gate #>> '{inputs,channel}'
                                     FROM jsonb_array_elements(decision.gates) AS gate
                            ) AS asked (channel)
              WHERE decision.run_id = run.id AND decision.outcome IN ('skip', 'person')
                AND channel <> '')
  FROM butler_run AS run
  LEFT JOIN customers_event AS event
    ON event.customer_id = (run.cause ->> 'log')::uuid
   AND event.version = (run.cause ->> 'version')::bigint
"""
MESSAGES = """
SELECT message.id::text, message.run_id::text, message.channel, message.state,
       EXISTS (SELECT FROM butler_delivery AS delivery
                WHERE delivery.message_id = message.id AND delivery.outcome = 'uncertain'),
       message.reason
  FROM butler_message AS message
"""
LEDGER_ENTRIES = """
SELECT entry.record_id::text, entry.seq, entry.kind, convert_to(entry.document, 'UTF8'),
       entry.previous, entry.digest,
       coalesce((SELECT value FROM customers_identifier AS identifier
                  WHERE identifier.customer_id = entry.record_id AND kind = 'email' LIMIT 1), '')
  FROM customers_ledgerentry AS entry
"""
UNFINISHED = """
SELECT (SELECT count(*) FROM butler_due WHERE job = 'run'),
       (SELECT count(*) FROM butler_delivery WHERE outcome = ''),
       (SELECT count(*) FROM butler_message WHERE state IN ('queued', 'sending')),
       (SELECT count(*) FROM butler_run WHERE status = 'waiting')
"""


def read_observations(
    services: dict[str, str],
    sink: Sink,
    carrier: Carrier,
    *,
    email_addresses: Mapping[str, str],
    trigger_events: Sequence[TriggerEvent],
    withdrawals: Sequence[Withdrawal],
) -> OutgoingObservations:
    """Read all stored messages, and the messages that the relay and the carrier received."""
    sms_messages = [
        message._replace(recipient=email_addresses[message.recipient])
        for message in carrier.received()
    ]
    unconfirmed = _wait_for_callbacks(carrier, {message.message_id for message in sms_messages})
    with psycopg.connect(services["DATABASE_URL"]) as connection:
        return OutgoingObservations(
            trigger_events=trigger_events,
            withdrawals=withdrawals,
            runs=[
                Run(*row)._replace(declined=frozenset(row[-1])) for row in _rows(connection, RUNS)
            ],
            messages=[StoredMessage(*row) for row in _rows(connection, MESSAGES)],
            received=[*sink.received(), *sms_messages],
            ledger_entries=[LedgerEntry(*row) for row in _rows(connection, LEDGER_ENTRIES)],
            confirmed_deliveries=carrier.acknowledged_callbacks(),
            unfinished={
                **count_unfinished(connection),
                "tasks": _count_lost_tasks(services["REDIS_URL"]),
                "reports of delivery": unconfirmed,
            },
        )


def count_unfinished(connection: "psycopg.Connection[Any]") -> dict[str, int]:
    """Count the unfinished work."""
    ((dues, leases, messages, runs),) = _rows(connection, UNFINISHED)
    return {"due rows": dues, "leases": leases, "open messages": messages, "waiting runs": runs}


def wait_until_finished(url: str, *, timeout: float) -> float:
    """Wait until no work is unfinished; return the seconds."""
    began = time.monotonic()
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() - began < timeout:
            if not any(count_unfinished(connection).values()):
                break
            time.sleep(0.25)
    return time.monotonic() - began


def _wait_for_callbacks(carrier: Carrier, message_ids: set[str], *, timeout: float = 30) -> int:
    """Wait until all callbacks are acknowledged; return the number of missing ones."""
    deadline = time.monotonic() + timeout
    while (
        unconfirmed := message_ids - carrier.acknowledged_callbacks()
    ) and time.monotonic() < deadline:
        time.sleep(0.25)
    return len(unconfirmed)


def _count_lost_tasks(url: str) -> int:
    """Count the Celery tasks that stay unacknowledged for longer than the redelivery time."""
    with redis.Redis.from_url(url) as client:
        return int(client.zcount("unacked_index", 0, time.time() - _REDELIVERY_SECONDS))


def _rows(connection: "psycopg.Connection[Any]", query: str) -> list[Any]:
    return connection.execute(query).fetchall()
