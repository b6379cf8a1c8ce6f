"""The processes of the race: they send, withdraw, report deliveries, and read.

python -m tests.butler.race_scenario FOLDER PAIRS PER_SECOND ROLE=COUNT…
"""

import os
import random
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
import django

django.setup()

from django.db import connections  # noqa: E402

from bench.chaos.race_process import NOON, RaceClock, send, withdraw  # noqa: E402
from butler.actions import delivery_reports, inbox  # noqa: E402
from butler.messages.delivery_reports import DeliveryReport  # noqa: E402
from butler.models import Delivery, Message  # noqa: E402
from tests.forks import run_forked  # noqa: E402

KINDS = ("accepted", "delivered", "bounced", "complained", "complained")


def reports(reported_ids: set[uuid.UUID], chance: random.Random) -> Iterator[DeliveryReport]:
    """Yield one report per delivery; every process yields the same one."""
    for delivery, message in Delivery.objects.values_list("pk", "message_id"):
        if delivery not in reported_ids:
            reported_ids.add(delivery)
            kind = KINDS[delivery.int % len(KINDS)]
            by_name = chance.random() < 0.5
            yield DeliveryReport(
                event_id=f"{delivery}:{kind}",
                kind=kind,
                occurred_at=NOON,
                provider_id=str(delivery) if by_name else "",
                message_id="" if by_name else str(message),
            )


def report(chance: random.Random, ends: float) -> None:
    """Store reports in batches of every size, in any order."""
    reported_ids: set[uuid.UUID] = set()
    while time.monotonic() < ends:
        pending_reports = list(reports(reported_ids, chance))
        chance.shuffle(pending_reports)
        while pending_reports:
            batch = [
                pending_reports.pop()
                for _ in range(min(len(pending_reports), chance.randint(1, 15)))
            ]
            delivery_reports.store_reports(
                provider="sink", channel="email", reports=batch, now=NOON
            )
        delivery_reports.apply_waiting_reports(now=NOON)
        time.sleep(chance.uniform(0, 0.02))


def look(chance: random.Random, ends: float) -> None:
    """Look at messages, and read some, as their customers do."""
    while time.monotonic() < ends:
        message_rows = list(Message.objects.order_by("?").values_list("pk", "customer_id")[:5])
        for message, customer in message_rows:
            theirs = Message.objects.filter(customer_id=customer).values_list("pk", flat=True)
            inbox.mark_seen(ids=[customer], messages=theirs, now=NOON)
            try:
                inbox.mark_read(ids=[customer], message_id=message, now=NOON)
            except inbox.NoSuchMessage:
                continue
        time.sleep(chance.uniform(0, 0.02))


def take_part(role: str, number: int, folder: Path, seconds: float, rate: float) -> None:
    chance = random.Random(f"{role}-{number}")
    path = folder / f"{role[0]}-{number}"
    # Each process makes its connection before any of them begins.
    Message.objects.exists()
    (folder / f"ready-{role}-{number}").touch()
    while not (folder / "go").exists():
        time.sleep(0.005)
    race = RaceClock(time.monotonic())
    if role == "send":
        send(race, path, chance, seconds)
    elif role == "withdraw":
        withdraw(race, path, chance, number, rate)
    else:
        ends = race.begins_at + seconds + 2.0
        {"report": report, "look": look}[role](chance, ends)
    connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own


def main(arguments: Sequence[str]) -> int:
    folder, pairs, rate, *counts = arguments
    place, seconds = Path(folder), int(pairs) / float(rate)
    jobs = [
        partial(take_part, role, number, place, seconds, float(rate))
        for role, _, count in (text.partition("=") for text in counts)
        for number in range(int(count))
    ]
    return run_forked(jobs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
