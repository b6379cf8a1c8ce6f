"""Customers who receive messages during the faults. Some of them withdraw their consent."""

import asyncio
import base64
import heapq
import json
import random
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bench.chaos.documents import EVENT, OFFERS, PURPOSE
from bench.chaos.http import Connections
from bench.chaos.outgoing import TriggerEvent, Withdrawal
from bench.chaos.request_log import SentEvent

type EventBody = tuple[SentEvent, dict[str, object]]

# Share of the recipients who withdraw around the time at which their offer is sent.
WITHDRAWING_SHARE = 0.4
# Seconds after the event within which they withdraw.
_WITHDRAWAL_SECONDS = 3.0
_EVIDENCE = {"kind": "click"}


class Recipients:
    """The recipients; each of them causes one offer and one order receipt."""

    def __init__(self, number: int, seed: int, connections: Connections, key: str) -> None:
        self.owners = [f"guest-{seed}-{index}" for index in range(number)]
        self.phones = {
            f"+316{12_000_000 + index}": owner for index, owner in enumerate(self.owners)
        }
        self.trigger_events: list[TriggerEvent] = []
        self.withdrawals: list[Withdrawal] = []
        # Milliseconds from each withdrawal to its acknowledgement.
        self.latencies_ms: list[float] = []
        self._random = random.Random(seed)
        self._connections = connections
        self._run = f"g{seed}-{time.time_ns():x}"
        token = base64.b64encode(f"{key}:".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self._records: Mapping[str, str] = {}
        self._due_withdrawals: list[tuple[float, str]] = []
        # Two events for each recipient, in random order.
        self._pending = [(owner, kind) for owner in self.owners for kind in ("offer", "order")]
        self._random.shuffle(self._pending)
        self._withdrawing = set(self._random.sample(self.owners, round(number * WITHDRAWING_SHARE)))

    @property
    def pending_count(self) -> int:
        return len(self._pending)

    def identify_events(self) -> list[EventBody]:
        """Return identify events with all addresses, and a timezone in which it is noon."""
        traits = {"timezone": noon_timezone(), "language": "en"}
        return [
            _event_body(
                SentEvent(f"{self._run}-{owner}", owner),
                "identify",
                traits={**traits, "email": _email_address(owner), "phone": phone},
            )
            for phone, owner in self.phones.items()
        ]

    def next_event(self) -> EventBody | None:
        """Return the next event of a recipient, or None if all are sent."""
        if not self._pending:
            return None
        owner, kind = self._pending.pop()
        sent = SentEvent(f"{self._run}-{kind}-{owner}", owner)
        recipient = _email_address(owner)
        if kind == "order":
            self.trigger_events.append(
                TriggerEvent(sent.message_id, "chaos-receipt", ("email", "sms"), recipient)
            )
            order = {"order_id": f"C-{sent.message_id}", "total": 10, "currency": "EUR"}
            return _event_body(sent, "track", event="Order Completed", properties=order)
        self.trigger_events.append(
            TriggerEvent(sent.message_id, "chaos-offer", ("email", "sms", "inbox"), recipient)
        )
        if owner in self._withdrawing:
            due = time.monotonic() + self._random.uniform(0, _WITHDRAWAL_SECONDS)
            heapq.heappush(self._due_withdrawals, (due, owner))
        return _event_body(sent, "track", event=EVENT, properties={"number": sent.message_id})

    async def consent(self, records: Mapping[str, str], notice: str) -> None:
        """Record the consent of all recipients to offers."""
        self._records = records
        body = {"answer": "give", "notice": notice, "language": "en", "evidence": _EVIDENCE}
        for start in range(0, len(self.owners), 8):
            owners = self.owners[start : start + 8]
            accepted = await asyncio.gather(*(self._put_consent(owner, body) for owner in owners))
            if not all(accepted):
                raise RuntimeError("Butler did not accept a consent")

    async def withdraw_consents(self) -> None:
        """Send each withdrawal at its due time, until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                while self._due_withdrawals and self._due_withdrawals[0][0] <= time.monotonic():
                    _, owner = heapq.heappop(self._due_withdrawals)
                    group.create_task(self._withdraw(owner))
                await asyncio.sleep(0.02)

    @property
    def email_addresses(self) -> dict[str, str]:
        """Return the email address of each phone number."""
        return {phone: _email_address(owner) for phone, owner in self.phones.items()}

    @property
    def has_withdrawn_all(self) -> bool:
        """Whether all recipients who were chosen to withdraw have done so."""
        return len(self.withdrawals) == len(self._withdrawing)

    async def _withdraw(self, owner: str) -> None:
        body = {"answer": "withdraw", "evidence": _EVIDENCE}
        began = time.monotonic()
        while not await self._put_consent(owner, body):
            await asyncio.sleep(0.3)
            began = time.monotonic()
        now = time.monotonic()
        self.latencies_ms.append((now - began) * 1000)
        self.withdrawals.append(Withdrawal(_email_address(owner), OFFERS, now))

    async def _put_consent(self, owner: str, body: Mapping[str, object]) -> bool:
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


def acknowledged_triggers(
    trigger_events: Sequence[TriggerEvent], acknowledged_ids: set[str]
) -> list[TriggerEvent]:
    """Return the triggers whose events were acknowledged."""
    return [trigger for trigger in trigger_events if trigger.message_id in acknowledged_ids]


def noon_timezone() -> str:
    """Return a timezone in which no quiet hours begin or end within the next hours."""
    now = datetime.now(UTC)
    # The names of these zones have the opposite sign of their UTC offset.
    ahead = 13 - now.hour if now.hour > 1 else -(now.hour + 11)
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def _email_address(owner: str) -> str:
    return f"{owner}@example.com"


def _event_body(sent: SentEvent, kind: str, **facts: object) -> EventBody:
    context = {"owner": sent.owner}
    body = {"type": kind, "messageId": sent.message_id, "userId": sent.owner, "context": context}
    return sent, {**body, **facts}
