"""Puts the park's past into the record, through the same door as everything else."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched, groupby, zip_longest
from operator import attrgetter

from customers.access.keys import SCOPES
from customers.ingest import store_events
from customers.models import Source
from customers.types import IngestedBatch, Sender
from examples.themepark import families, history
from examples.themepark.messages import Message, to_incoming_event
from examples.themepark.rides import zone

SEED = 1848
FAMILIES = 320
BATCH = 500


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one source that go in together, and how many went before them."""

    source: str
    messages: Sequence[Message]
    messages_before: int


def household_messages(*, since: datetime) -> list[list[Message]]:
    """Return each household's messages in the order they happened, Noor's first.

    `since` is when the park was first loaded: histories hang on that day, so that loading
    again says the same things with the same message ids.
    """
    today = since.astimezone(zone()).date()
    noor = history.noors_year(families.noor(today), today=today, until=since)
    others = families.families(seed=SEED, today=today, count=FAMILIES)
    return [
        noor,
        *(history.family_year(family, seed=SEED, today=today, until=since) for family in others),
    ]


def batches(households: Iterable[Sequence[Message]]) -> Iterator[Batch]:
    """Cut histories into batches of one source each that keep every household's order.

    The first stretch that each household had with one source goes in first, then everybody's
    second, and so on: a log then reads as the year went, and batches are still large.
    """
    runs_by_household = [
        [list(run) for _, run in groupby(messages, key=attrgetter("source"))]
        for messages in households
    ]
    messages_before = 0
    for round_ in zip_longest(*runs_by_household, fillvalue=[]):
        messages_of_round = sorted(
            (message for run in round_ for message in run), key=attrgetter("source")
        )
        for source, messages in groupby(messages_of_round, key=attrgetter("source")):
            for batch in batched(messages, BATCH):
                yield Batch(source, batch, messages_before)
                messages_before += len(batch)


def load(batch: Batch, sender: Sender, *, now: datetime) -> IngestedBatch:
    return store_events(
        sender=sender,
        events=[to_incoming_event(message) for message in batch.messages],
        received_at=now,
    )


def sender(source: Source) -> Sender:
    """Speak as one of the park's own systems, which hold secret keys."""
    return Sender(
        source_id=source.pk,
        name=source.name,
        channel=source.channel,
        is_trusted=True,
        is_shared=source.is_shared,
        default_region=source.default_region or None,
        scopes=frozenset(SCOPES),
    )
