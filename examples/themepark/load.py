"""Load the park's past into the records, through the same ingest as all other events."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched, groupby, zip_longest
from operator import attrgetter

from customers.access.keys import SCOPES
from customers.events.internal_sources import sender_of_source
from customers.ingest import store_events
from customers.models import Source
from customers.types import IngestedBatch, Sender
from examples.themepark import families, history
from examples.themepark.gate import file_scans
from examples.themepark.messages import Message, to_incoming_event
from examples.themepark.rides import zone

SEED = 1848
FAMILIES = 320
BATCH = 500


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one source to store together, and the number of messages before them."""

    source: str
    messages: Sequence[Message]
    messages_before: int


def household_messages(*, since: datetime) -> list[list[Message]]:
    """Return each household's messages in the order of time; Noor's household is the first.

    `since` is the time of the first load of the park. The histories depend on that day, so a
    second load has the same messages with the same message ids.
    """
    today = since.astimezone(zone()).date()
    noor = history.noors_year(families.noor(today), today=today, until=since)
    others = families.families(seed=SEED, today=today, count=FAMILIES)
    return [
        noor,
        *(history.family_year(family, seed=SEED, today=today, until=since) for family in others),
    ]


def batches(households: Iterable[Sequence[Message]]) -> Iterator[Batch]:
    """Split histories into batches of one source each, in the order of each household.

    A household's history consists of runs of messages of one source. The batches contain the
    first runs of all households, then the second runs, and so on. So the logs keep the order of
    time, and the batches are still large.
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


def load(batch: Batch, sender: Sender, *, is_repeated: bool, now: datetime) -> IngestedBatch:
    """Store the messages of a batch as events, received now.

    is_repeated: True if an earlier load stored them, and this one only looks for new ones
    """
    return store_events(
        sender=sender,
        events=file_scans([to_incoming_event(message) for message in batch.messages]),
        received_at=now,
        is_repeated=is_repeated,
    )


def sender(source: Source) -> Sender:
    """Return the sender of one of the park's systems, as with a secret key and all scopes."""
    return sender_of_source(source, is_trusted=True, scopes=SCOPES)
