"""Inserts many invented customers with COPY, one chunk at a time.

A chunk is one transaction, and its first customer's id follows from the plan: whether that
customer is there tells whether the chunk is. So a run that was killed goes on where it was.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import NamedTuple

from django.db import connection, transaction

from bench.synthetic import people
from bench.synthetic.people import Chunk, Rows
from customers import db
from customers.models import Customer, Source
from customers.projections import registry

# Customers in one transaction: many enough that commits are cheap, few enough for the memory.
CHUNK = 5_000
# Measured bytes on disk for one event, with its share of all other rows.
BYTES_PER_EVENT = 800

_COLUMNS = {
    "customer": "id, version, grouping_version, created_at, last_seen_at",
    "identifier": (
        "id, kind, value, evidence, record_id, customer_id, is_shared, best_evidence, first_seen_at"
    ),
    "link": (
        "first_id, second_id, kind, evidence, source_id, state, occurred_at, arrival,"
        " last_proved_at, recorded_at"
    ),
    "event": (
        "customer_id, version, source_id, message_id, message_key, body_hash, kind, name,"
        " about, evidence, actor, identifier_ids, occurred_at, received_at, recorded_at,"
        " arrival, body"
    ),
    "trait": "customer_id, name, value, evidence, source_id, occurred_at, arrival, message_key",
}


class Plan(NamedTuple):
    """The numbers of customers and events, and the seed."""

    customers: int
    events: int
    seed: int

    @property
    def tag(self) -> str:
        """The name of the plan in all its values, so that two plans can share a database."""
        return blake2b(repr(self).encode(), digest_size=4).hexdigest()

    def chunks(self) -> Iterator[Chunk]:
        """Yield the chunks, whose events add up to the events of the plan."""
        for number, first in enumerate(range(0, self.customers, CHUNK)):
            last = min(first + CHUNK, self.customers)
            events = self.events * last // self.customers - self.events * first // self.customers
            yield Chunk(self.tag, number, first, last - first, events, self.customers)


def missing_chunks(plan: Plan) -> list[Chunk]:
    """Return the chunks that the database does not contain yet."""
    chunk_by_id = {
        people.customer_id(chunk.tag, chunk.first, chunk.plan_customers): chunk
        for chunk in plan.chunks()
    }
    existing = set(Customer.objects.filter(id__in=list(chunk_by_id)).values_list("id", flat=True))
    return [chunk for id_, chunk in chunk_by_id.items() if id_ not in existing]


def sources() -> dict[str, int]:
    """Return a source for each channel, created if it is missing. The sources have no keys."""
    source_ids = {}
    for channel in people.CHANNELS:
        source, _ = Source.objects.get_or_create(
            name=f"generated {channel}", defaults={"channel": channel}
        )
        source_ids[channel] = source.pk
    return source_ids


def write(chunks: Iterable[Chunk], source_ids: Mapping[str, int]) -> Iterator[Chunk]:
    """Write the chunks, each wholly or not at all, and yield each when it is committed.

    While Postgres takes one in, the next one is thought up.
    """
    with ThreadPoolExecutor(1) as executor:
        prepared = ((chunk, executor.submit(_prepare, chunk, source_ids)) for chunk in chunks)
        next_chunk = next(prepared, None)
        while next_chunk:
            (chunk, rows), next_chunk = next_chunk, next(prepared, None)
            _copy_rows(rows.result())
            yield chunk


def _prepare(chunk: Chunk, source_ids: Mapping[str, int]) -> Rows:
    people_of_chunk = people.people(chunk)
    identifier_ids = _reserve(sum(len(person.identifiers) for person in people_of_chunk))
    return people.invent_rows(chunk, people_of_chunk, identifier_ids, source_ids)


def _reserve(count: int) -> list[int]:
    """Return identifier ids from the sequence, which all writers use."""
    statement = (
        "SELECT nextval(pg_get_serial_sequence('customers_identifier', 'id'))"
        " FROM generate_series(1, %(count)s)"
    )
    try:
        return [id_ for (id_,) in db.rows(statement, {"count": count})]
    finally:
        # Close the connection of this thread. The next chunk gets another one from the pool.
        connection.close()


def _copy_rows(rows: Rows) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        # The time limits of web requests are too short for a COPY of this size.
        cursor.execute("SET LOCAL statement_timeout = 0")
        for table, columns in _COLUMNS.items():
            statement = f"COPY customers_{table} ({columns}) FROM STDIN"
            db.copy_in(statement, "".join(getattr(rows, f"{table}s")))
        registry.project(rows.subjects)


def analyze() -> None:
    """Analyze the tables, so that the planner knows the new rows."""
    tables = ", ".join(f"customers_{name}" for name in (*_COLUMNS, "order"))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(f"ANALYZE {tables}")
