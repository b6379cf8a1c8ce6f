"""One process of the withdrawal race: it sends messages, or withdraws consents.

python -m bench.chaos.race_process ROLE NUMBER FOLDER PAIRS PER_SECOND SEED
"""

import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
import django

django.setup()

from django.db import connections  # noqa: E402

from bench.chaos.withdrawal_race import WITHDRAWERS  # noqa: E402
from butler.actions import withdrawal  # noqa: E402
from butler.models import Message  # noqa: E402
from channels import deliveries  # noqa: E402
from channels.protocol import ChannelMessage, DeliveryResult, LeaseCheck  # noqa: E402
from customers.actions.changes import ChangeAuthor  # noqa: E402
from customers.consent.statements import ConsentStatement  # noqa: E402
from customers.events import internal_sources  # noqa: E402
from customers.models import Customer, Identifier  # noqa: E402

NOON = datetime(2027, 4, 21, 10, tzinfo=UTC)
# Seconds after the last withdrawal is due, in which the senders must empty the queue.
_MAX_DRAIN_SECONDS = 240.0


class RaceClock:
    """The start of the race, and the simulated time in it."""

    def __init__(self, begins_at: float) -> None:
        self.begins_at = begins_at

    def now(self) -> datetime:
        """Return the time of the race: NOON plus the real seconds since its start."""
        return NOON + timedelta(seconds=time.monotonic() - self.begins_at)

    def wait_until(self, seconds: float) -> None:
        """Sleep until this number of seconds after the start of the race; return at once if it is past."""
        time.sleep(max(0.0, self.begins_at + seconds - time.monotonic()))


class RecordingProvider:
    """A provider that records the time of each handover."""

    channel = "email"
    provider = "sink"
    address_kind = "email"
    is_idempotent = False
    timeout = 1.0

    def __init__(self, path: Path, generator: random.Random) -> None:
        self.generator = generator
        self.file = path.open("w")

    def send(
        self, parcels: Sequence[ChannelMessage], is_open: LeaseCheck
    ) -> Iterator[DeliveryResult]:
        """Accept each message after up to 4 ms, and write its recipient and monotonic time to the file.

        A call that the machine holds up for longer than `timeout` hands nothing over, as with a real
        provider.
        """
        for parcel in parcels:
            called_at = time.monotonic()
            if not is_open():
                return
            time.sleep(self.generator.uniform(0, 0.004))
            handed_over_at = time.monotonic()
            if handed_over_at - called_at > self.timeout:
                yield DeliveryResult(parcel.delivery_id, "transient", code="timeout")
                continue
            self.file.write(f"{parcel.customer_id} {handed_over_at}\n")
            yield DeliveryResult(
                parcel.delivery_id, "accepted", provider_id=str(parcel.delivery_id)
            )


def send(clock: RaceClock, path: Path, generator: random.Random, seconds: float) -> None:
    """Deliver the queued messages in batches of random size, until no message is open."""
    provider = RecordingProvider(path, generator)
    clock.wait_until(0)
    gives_up_at = clock.begins_at + seconds + _MAX_DRAIN_SECONDS
    while time.monotonic() < gives_up_at:
        counts = deliveries.deliver_batch(provider, clock=clock.now, limit=generator.randint(1, 12))
        if counts.claimed:
            continue
        # Other messages are not due yet, or another process holds them.
        if not Message.objects.filter(
            state__in=[Message.State.QUEUED, Message.State.SENDING]
        ).exists():
            break
        time.sleep(generator.uniform(0, 0.01))
    provider.file.close()


def withdraw(
    clock: RaceClock, path: Path, generator: random.Random, number: int, rate: float
) -> None:
    """Withdraw the consents of customers one by one, each around its due time."""
    author = ChangeAuthor(internal_sources.BUTLER)
    words = [
        ConsentStatement(kind="consent.withdrawn", subject="offers", evidence={"kind": "click"})
    ]
    values = Identifier.objects.filter(kind="email").values_list("value", "customer_id")
    numbered = sorted(
        (int(value.partition("@")[0].removeprefix("guest-")), customer_id)
        for value, customer_id in values
    )
    with path.open("w") as file:
        for index, customer in numbered[number::WITHDRAWERS]:
            clock.wait_until(index / rate + generator.uniform(-0.06, 0.06))
            began_at = time.monotonic()
            assert customer is not None
            outcome = withdrawal.record_statements(
                customer_id=customer, statements=words, author=author, now=clock.now()
            )
            acknowledged = time.monotonic()
            took = acknowledged - began_at
            file.write(f"{customer} {acknowledged} {took} {len(outcome.sent_messages)}\n")


def wait_for_start(folder: Path, name: str) -> float:
    """Write that this process is ready; return the monotonic time at which the race begins."""
    (folder / f"ready-{name}").touch()
    while not (start := folder / "start").exists():
        time.sleep(0.01)
    return float(start.read_text())


def main(arguments: Sequence[str]) -> None:
    role, number, folder, pairs, rate, seed = arguments
    generator = random.Random(f"{seed}-{role}-{number}")
    path = Path(folder) / f"{role[0]}-{number}"
    # Connect to the database and load all code before the race begins.
    Customer.objects.exists()
    clock = RaceClock(wait_for_start(Path(folder), f"{role}-{number}"))
    if role == "sender":
        send(clock, path, generator, int(pairs) / float(rate))
    else:
        withdraw(clock, path, generator, int(number), float(rate))
    connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own


if __name__ == "__main__":
    main(sys.argv[1:])
