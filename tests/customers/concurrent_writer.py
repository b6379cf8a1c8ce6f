"""Many writers at once: each does what customers, tills and staff do, to the same few customers.

test_concurrency runs them. Each writer writes a file. Each of its lines but the last is one
promise: the message that was sent, and its place in the record. The last line counts its acts.
"""

import json
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

import django

django.setup()

from django.db import OperationalError, connection, transaction  # noqa: E402

from customers import ingest, rebuild  # noqa: E402
from customers.actions import (  # noqa: E402
    consent,
    idempotency,
    orders,
    proved_addresses,
    reviews,
    sign_in,
    sign_in_codes,
)
from customers.actions.changes import ChangeAuthor, RejectedChange, UnreachableRecord  # noqa: E402
from customers.identity import decisions  # noqa: E402
from customers.models import Customer, Merge, Order, Review, Source  # noqa: E402
from customers.types import IncomingEvent, Sender  # noqa: E402
from tests import factories  # noqa: E402
from tests.customers import consent_helpers  # noqa: E402
from tests.factories import NOON  # noqa: E402
from tests.forks import run_forked  # noqa: E402

# Few of each, so that the writers conflict often.
POOLS = {
    "user_id": [f"guest-{n}" for n in range(14)],
    "anonymous_id": [f"browser-{n}" for n in range(24)],
    "device": [f"phone-{n}" for n in range(6)],
    "email": [f"guest-{n}@example.com" for n in range(10)],
    "card": [f"CARD-{n}" for n in range(8)],
    "external:rides": [f"rider-{n}" for n in range(6)],
}
NUMBERS = [f"A-{n}" for n in range(12)]
# Exceptions for changes that the rules refuse, and for those that a view answers with 503.
REFUSALS = (
    RejectedChange,
    UnreachableRecord,
    ingest.VersionMismatch,
    orders.NoSuchOrder,
    orders.OrderNumberInUse,
    orders.OrderClosed,
    decisions.NotFiled,
    reviews.NothingToMerge,
    reviews.MergeAlreadyUndone,
    reviews.ReviewAlreadySettled,
    proved_addresses.TakesProvedAddress,
    sign_in.WrongCode,
)


class Writer:
    def __init__(self, number: int, sources: list[int]) -> None:
        self.random = Random(number)
        self.senders = [_sender(id_, at) for at, id_ in enumerate(sources)]
        self.author = ChangeAuthor(self.senders[0], "staff:lin")
        self.front = 0
        self.now = NOON + timedelta(days=1)

    def send(self) -> None:
        """Send some of the messages that the others are about to send, too."""
        self.front += 3
        numbers = [self.front + self.random.randrange(20) for _ in range(self.random.randint(1, 6))]
        at = self.random.randrange(len(self.senders))
        items = [_message(number, at) for number in numbers]
        receipt = ingest.store_events(sender=self.senders[at], events=items, received_at=self.now)
        for event, outcome in zip(items, receipt.outcomes, strict=True):
            print(
                json.dumps(
                    [
                        self.senders[at].source_id,
                        self.senders[at].is_public,
                        event.message_id,
                        outcome.status,
                        str(outcome.customer_id or ""),
                        outcome.version,
                    ]
                )
            )

    def say_who_is_who(self) -> None:
        first, second = self.random.sample(self._records(), 2)
        self.random.choice([decisions.merge_records, decisions.separate_records])(
            first, second, actor="lin", now=self.now
        )

    def settle(self) -> None:
        open_ones = Review.objects.filter(status="open").values_list("pk", flat=True)[:20]
        review_id = self.random.choice([*open_ones] or [0])
        decide = self.random.choice([reviews.accept_review, reviews.decline_review])
        self._once(lambda: decide(review_id=review_id, actor="lin", now=self.now))

    def undo(self) -> None:
        merges = Merge.objects.filter(undone_at=None).values_list("merged_into_id", "pk")[:50]
        surviving_id, merge = self.random.choice([*merges] or [(None, 0)])
        self._once(
            lambda: reviews.undo_merge(
                customer_id=surviving_id, merge_id=merge, actor="lin", now=self.now
            )
        )

    def order(self) -> None:
        number = self.random.choice(NUMBERS)
        owner_id = Order.objects.filter(number=number).values_list("customer_id", flat=True).first()
        aim = orders.OrderTarget(owner_id or self._records()[0], number, self.author, self.now)
        acts: list[Callable[[], object]] = [
            lambda: orders.place_order(
                customer_id=self.random.choice(self._records()),
                author=self.author,
                number=number,
                order={"lines": [{"product": "day", "line_id": "1", "unit_price": "12.50"}]},
                now=self.now,
            ),
            lambda: orders.amend_order(target=aim, change={"note": str(self.now)}),
        ]
        self._once(self.random.choice(acts))

    def speak(self) -> None:
        """Record a consent statement of a record that other writers merge and separate."""
        word = self.random.choice(
            [consent_helpers.give, consent_helpers.refuse, consent_helpers.withdraw]
        )
        words = [word(self.random.choice(["offers", "surveys"]))]
        if self.random.random() < 0.3:
            words.append(
                consent_helpers.prefer("allow", self.random.random() < 0.5, channel="email")
            )
        consent.record_statements(
            customer_id=self.random.choice(self._records()),
            statements=words,
            author=ChangeAuthor(self.senders[0]),
            now=self.now,
        )

    def sign_in(self) -> None:
        address = self.random.choice(POOLS["email"])
        issued_code = sign_in_codes.issue_code(email=address, network="127.0.0.1", now=self.now)
        sign_in.verify_code(
            handle=issued_code.handle, code=issued_code.code, language="en", now=self.now
        )

    def make_again(self) -> None:
        differences = rebuild.rebuild(sorted(self.random.sample(self._records(), 3)))
        assert differences == []

    def _records(self) -> list:
        return [*Customer.objects.order_by("id").values_list("pk", flat=True)]

    def _once(self, effect: Callable[[], object]) -> None:
        def answer() -> idempotency.StoredResponse:
            effect()
            return idempotency.StoredResponse(200, b"")

        idempotency.run_once(
            principal="writer",
            key=str(self.random.random()),
            request=b"",
            now=self.now,
            retention=timedelta(days=7),
            effect=answer,
        )


def _sender(source_id: int, at: int) -> Sender:
    """The first is a server; then an app; then a kiosk that everybody uses."""
    return factories.sender(Source.objects.get(pk=source_id), trusted=at != 1)


def _message(number: int, at: int) -> IncomingEvent:
    """Make up the message of that number of a source: always the same one."""
    random = Random(number * 3 + at)
    kinds = random.sample(list(POOLS), random.randint(1, 3))
    identifiers = [(kind, random.choice(POOLS[kind])) for kind in kinds]
    moment = NOON + timedelta(seconds=random.randrange(3600))
    name, message_id = str(number), f"m{number}"
    if random.random() < 0.3:
        about = random.choice(NUMBERS)
        event = factories.order(about, *identifiers, ("order", about), at=moment, total="5.00")
    elif random.random() < 0.4:
        event = factories.identify(*identifiers, at=moment, name=name, size=number)
    else:
        event = factories.incoming_event(*identifiers, name=name, at=moment)
    return factories.incoming_event(
        *event.identifiers,
        name=event.name,
        kind=event.kind,
        message_id=message_id,
        at=moment,
        properties={"total": "5.00"} if event.about else {},
        traits=event.traits,
        about=event.about,
    )


def work(
    number: int, sources: list[int], seconds: float, required: list[str], extra_seconds: float
) -> None:
    """Write for these seconds, and up to the extra ones until each required act succeeded."""
    writer = Writer(number, sources)
    acts = {
        writer.send: 70,
        writer.say_who_is_who: 8,
        writer.settle: 4,
        writer.undo: 6,
        writer.order: 8,
        writer.sign_in: 3,
        writer.speak: 8,
        writer.make_again: 1,
    }
    performed = {act.__name__: 0 for act in acts}
    refused = unavailable = 0
    end = time.monotonic() + seconds
    last_end = end + extra_seconds
    while (now := time.monotonic()) < end or (
        now < last_end and not all(performed[name] for name in required)
    ):
        writer.now = datetime.now(UTC)
        (act,) = writer.random.choices([*acts], [*acts.values()])
        try:
            act()
            performed[act.__name__] += 1
        except REFUSALS:
            refused += 1
        except OperationalError as error:
            unavailable += 1
            print(type(error), type(error.__cause__), error, file=sys.stderr)
        assert not transaction.get_connection().in_atomic_block
    connection.close_pool()
    print(json.dumps({"done": performed, "refused": refused, "unavailable": unavailable}))


def write_to(path: Path, job: Callable[[], None]) -> None:
    with path.open("w") as out, redirect_stdout(out):
        job()


def main(folder: str, count: str, *arguments: str) -> int:
    values = [json.loads(argument) for argument in arguments]
    return run_forked(
        partial(write_to, Path(folder, f"writer-{number}"), partial(work, number, *values))
        for number in range(int(count))
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
