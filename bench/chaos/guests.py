"""Customers who are written to while everything breaks, and who change their minds."""

import asyncio
import base64
import heapq
import json
import random
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bench.chaos.http import Connections
from bench.chaos.ledger import Sent
from bench.chaos.outgoing import Cause, Withdrawal
from bench.chaos.vocabulary import EVENT, OFFERS, PURPOSE

type Item = tuple[Sent, dict[str, object]]

# Share of those who are sent an offer and withdraw around the time at which it leaves.
FICKLE = 0.4
# Seconds from the event on within which they do.
_SOON = 3.0
_EVIDENCE = {"kind": "click"}


class Guests:
    """So many people, each of whom one offer and one order is written about."""

    def __init__(self, number: int, seed: int, connections: Connections, key: str) -> None:
        self.owners = [f"guest-{seed}-{n}" for n in range(number)]
        self.phones = {f"+316{12_000_000 + n}": owner for n, owner in enumerate(self.owners)}
        self.causes: list[Cause] = []
        self.withdrawals: list[Withdrawal] = []
        # Milliseconds from each withdrawal to its acknowledgement.
        self.took: list[float] = []
        self._dice = random.Random(seed)
        self._connections = connections
        self._run = f"g{seed}-{time.time_ns():x}"
        token = base64.b64encode(f"{key}:".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self._records: Mapping[str, str] = {}
        self._wishes: list[tuple[float, str]] = []
        # Each has two things happen to them, in any order.
        self._to_come = [(owner, kind) for owner in self.owners for kind in ("offer", "order")]
        self._dice.shuffle(self._to_come)
        self._fickle = set(self._dice.sample(self.owners, round(number * FICKLE)))

    @property
    def left(self) -> int:
        return len(self._to_come)

    def introductions(self) -> list[Item]:
        """Say who they are: somebody whom everything reaches, and for whom it is noon now."""
        traits = {"timezone": where_it_is_noon(), "language": "en"}
        return [
            _item(
                Sent(f"{self._run}-{owner}", owner),
                "identify",
                traits={**traits, "email": _mailbox(owner), "phone": phone},
            )
            for phone, owner in self.phones.items()
        ]

    def next(self) -> Item | None:
        """Return the next thing that happens to one of them."""
        if not self._to_come:
            return None
        owner, kind = self._to_come.pop()
        sent = Sent(f"{self._run}-{kind}-{owner}", owner)
        recipient = _mailbox(owner)
        if kind == "order":
            self.causes.append(Cause(sent.message_id, "chaos-receipt", ("email", "sms"), recipient))
            order = {"order_id": f"C-{sent.message_id}", "total": 10, "currency": "EUR"}
            return _item(sent, "track", event="Order Completed", properties=order)
        self.causes.append(
            Cause(sent.message_id, "chaos-offer", ("email", "sms", "inbox"), recipient)
        )
        if owner in self._fickle:
            due = time.monotonic() + self._dice.uniform(0, _SOON)
            heapq.heappush(self._wishes, (due, owner))
        return _item(sent, "track", event=EVENT, properties={"number": sent.message_id})

    async def consent(self, records: Mapping[str, str], notice: str) -> None:
        """Have all of them agree to offers."""
        self._records = records
        body = {"answer": "give", "notice": notice, "language": "en", "evidence": _EVIDENCE}
        for start in range(0, len(self.owners), 8):
            some = self.owners[start : start + 8]
            done = await asyncio.gather(*(self._say(owner, body) for owner in some))
            if not all(done):
                raise RuntimeError("consents are not taken")

    async def change_their_minds(self) -> None:
        """Withdraw, each when it is time, for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                while self._wishes and self._wishes[0][0] <= time.monotonic():
                    _, owner = heapq.heappop(self._wishes)
                    group.create_task(self._withdraw(owner))
                await asyncio.sleep(0.02)

    @property
    def mailboxes(self) -> dict[str, str]:
        """Return whose number it is: the mailbox, which they go by everywhere."""
        return {phone: _mailbox(owner) for phone, owner in self.phones.items()}

    @property
    def is_settled(self) -> bool:
        return len(self.withdrawals) == len(self._fickle)

    async def _withdraw(self, owner: str) -> None:
        body = {"answer": "withdraw", "evidence": _EVIDENCE}
        began = time.monotonic()
        while not await self._say(owner, body):
            await asyncio.sleep(0.3)
            began = time.monotonic()
        now = time.monotonic()
        self.took.append((now - began) * 1000)
        self.withdrawals.append(Withdrawal(_mailbox(owner), OFFERS, now))

    async def _say(self, owner: str, body: Mapping[str, object]) -> bool:
        path = f"/api/customers/{self._records[owner]}/consents/{PURPOSE}/"
        try:
            async with asyncio.timeout(30):
                encoded = json.dumps(body).encode()
                answer = await self._connections.send("PUT", path, encoded, self._headers)
        except (OSError, TimeoutError):
            return False
        if answer.status < 500 and answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.body[:300]!r}")
        return answer.status == 200


def acknowledged(causes: Sequence[Cause], told: set[str]) -> list[Cause]:
    """Return those of which the client knows that they were stored."""
    return [cause for cause in causes if cause.message_id in told]


def where_it_is_noon() -> str:
    """Name a zone that is far from quiet hours on both sides for hours to come."""
    now = datetime.now(UTC)
    # The signs of these zones are the other way round.
    ahead = 13 - now.hour if now.hour > 1 else -(now.hour + 11)
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def _mailbox(owner: str) -> str:
    return f"{owner}@example.com"


def _item(sent: Sent, kind: str, **facts: object) -> Item:
    context = {"owner": sent.owner}
    said = {"type": kind, "messageId": sent.message_id, "userId": sent.owner, "context": context}
    return sent, {**said, **facts}
