"""One process of the race at the wall: a sender, or somebody who withdraws.

python -m bench.chaos.hands ROLE NUMBER FOLDER BEGINS PAIRS PER_SECOND SEED
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

from bench.chaos.wall import WITHDRAWERS  # noqa: E402
from butler.actions import withdrawal  # noqa: E402
from channels import deliveries  # noqa: E402
from channels.protocol import Handover, IsOpen, Parcel  # noqa: E402
from customers.actions.changes import Author  # noqa: E402
from customers.actions.consent import ConsentStatement  # noqa: E402
from customers.events import internal_sources  # noqa: E402
from customers.models import Customer, Identifier  # noqa: E402

NOON = datetime(2027, 4, 21, 10, tzinfo=UTC)
# After the last withdrawal is due, senders look for what comes late, and then for what is left.
_AFTERWARDS = 1.0
_LONGEST = 30.0


class Race:
    """When everybody sets out, and what time it is in the race."""

    def __init__(self, begins: float) -> None:
        self.begins = begins

    def clock(self) -> datetime:
        return NOON + timedelta(seconds=time.monotonic() - self.begins)

    def until(self, seconds: float) -> None:
        time.sleep(max(0.0, self.begins + seconds - time.monotonic()))


class Sink:
    """A provider that writes down to the microsecond when it was handed what."""

    channel = "email"
    provider = "sink"
    address_kind = "email"
    is_idempotent = False
    timeout = 1.0

    def __init__(self, path: Path, chance: random.Random) -> None:
        self.chance = chance
        self.file = path.open("w")

    def hand_over(self, parcels: Sequence[Parcel], is_open: IsOpen) -> Iterator[Handover]:
        for parcel in parcels:
            if not is_open():
                return
            time.sleep(self.chance.uniform(0, 0.004))
            self.file.write(f"{parcel.customer_id} {time.monotonic()}\n")
            yield Handover(parcel.delivery_id, "accepted", provider_id=str(parcel.delivery_id))


def send(race: Race, path: Path, chance: random.Random, lasts: float) -> None:
    """Hand over whatever waits, in batches of every size."""
    sink = Sink(path, chance)
    race.until(0)
    ends = race.begins + lasts + _AFTERWARDS
    in_vain = 0
    # What is not seen may only be held by somebody for a moment.
    while time.monotonic() < ends or (in_vain < 20 and time.monotonic() < ends + _LONGEST):
        done = deliveries.deliver_batch(sink, clock=race.clock, most=chance.randint(1, 12))
        in_vain = 0 if done.looked_at else in_vain + 1
        if in_vain:
            time.sleep(chance.uniform(0, 0.01))
    sink.file.close()


def withdraw(race: Race, path: Path, chance: random.Random, number: int, rate: float) -> None:
    """Withdraw, one customer after the other, each around the time its messages are due."""
    author = Author(internal_sources.BUTLER)
    words = [
        ConsentStatement(kind="consent.withdrawn", subject="offers", evidence={"kind": "click"})
    ]
    values = Identifier.objects.filter(kind="email").values_list("value", "customer_id")
    numbered = sorted((int(v.partition("@")[0].removeprefix("guest-")), c) for v, c in values)
    with path.open("w") as file:
        for place, customer in numbered[number::WITHDRAWERS]:
            race.until(place / rate + chance.uniform(-0.06, 0.06))
            began = time.monotonic()
            assert customer is not None
            heard = withdrawal.say(
                customer_id=customer, words=words, author=author, now=race.clock()
            )
            acknowledged = time.monotonic()
            took = acknowledged - began
            file.write(f"{customer} {acknowledged} {took} {len(heard.left)}\n")


def main(arguments: Sequence[str]) -> None:
    role, number, folder, begins, pairs, rate, seed = arguments
    race = Race(float(begins))
    chance = random.Random(f"{seed}-{role}-{number}")
    path = Path(folder) / f"{role[0]}-{number}"
    # The connection is made, and everything loaded, before the race begins.
    Customer.objects.exists()
    if role == "sender":
        send(race, path, chance, int(pairs) / float(rate))
    else:
        withdraw(race, path, chance, int(number), float(rate))
    connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own


if __name__ == "__main__":
    main(sys.argv[1:])
