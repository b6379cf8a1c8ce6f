"""Reads from the database and the relay what was said, for bench.chaos.outgoing."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import redis

from bench.carrier import Carrier
from bench.chaos.outgoing import Cause, Link, Outgoing, Run, Said, Withdrawal
from bench.sink import Sink

# Seconds after which a task that a worker took is given to another: the visibility timeout,
# and as long as it takes to look.
_GIVEN_BACK = 75

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
SAID = """
SELECT message.id::text, message.run_id::text, message.channel, message.state,
       EXISTS (SELECT FROM butler_delivery AS delivery
                WHERE delivery.message_id = message.id AND delivery.outcome = 'uncertain'),
       message.reason
  FROM butler_message AS message
"""
CHAIN = """
SELECT entry.record_id::text, entry.seq, entry.kind, convert_to(entry.document, 'UTF8'),
       entry.previous, entry.digest,
       coalesce((SELECT value FROM customers_identifier AS identifier
                  WHERE identifier.customer_id = entry.record_id AND kind = 'email' LIMIT 1), '')
  FROM customers_controlentry AS entry
"""
LEFT_OVER = """
SELECT (SELECT count(*) FROM butler_due WHERE job = 'run'),
       (SELECT count(*) FROM butler_delivery WHERE outcome = ''),
       (SELECT count(*) FROM butler_message WHERE state IN ('queued', 'sending')),
       (SELECT count(*) FROM butler_run WHERE status = 'waiting')
"""


def gather(
    services: dict[str, str],
    sink: Sink,
    carrier: Carrier,
    *,
    mailboxes: Mapping[str, str],
    causes: Sequence[Cause],
    withdrawals: Sequence[Withdrawal],
) -> Outgoing:
    """Read everything that was said, and what those have of it who carried it."""
    texts = [one._replace(recipient=mailboxes[one.recipient]) for one in carrier.taken()]
    unheard = _until_heard(carrier, {one.message_id for one in texts})
    with psycopg.connect(services["DATABASE_URL"]) as connection:
        return Outgoing(
            causes=causes,
            withdrawals=withdrawals,
            runs=[
                Run(*row)._replace(declined=frozenset(row[-1])) for row in _rows(connection, RUNS)
            ],
            said=[Said(*row) for row in _rows(connection, SAID)],
            letters=[*sink.taken(), *texts],
            chain=[Link(*row) for row in _rows(connection, CHAIN)],
            heard=carrier.heard(),
            left_over={
                **open_work(connection),
                "tasks": _never_given_back(services["REDIS_URL"]),
                "reports of delivery": unheard,
            },
        )


def open_work(connection: "psycopg.Connection[Any]") -> dict[str, int]:
    """Count what is still to be done, or in somebody's hand."""
    ((dues, leases, messages, runs),) = _rows(connection, LEFT_OVER)
    return {"due rows": dues, "leases": leases, "open messages": messages, "waiting runs": runs}


def until_done(url: str, *, patience: float) -> float:
    """Wait until nothing is to be done any more; return how long that took."""
    began = time.monotonic()
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() - began < patience:
            if not any(open_work(connection).values()):
                break
            time.sleep(0.25)
    return time.monotonic() - began


def _until_heard(carrier: Carrier, taken: set[str], *, patience: float = 30) -> int:
    """Wait until every report was taken; return how many were not."""
    deadline = time.monotonic() + patience
    while (unheard := taken - carrier.heard()) and time.monotonic() < deadline:
        time.sleep(0.25)
    return len(unheard)


def _never_given_back(url: str) -> int:
    """Count tasks that a worker took and that nobody has had back for too long."""
    with redis.Redis.from_url(url) as client:
        return int(client.zcount("unacked_index", 0, time.time() - _GIVEN_BACK))


def _rows(connection: "psycopg.Connection[Any]", query: str) -> list[Any]:
    return connection.execute(query).fetchall()
