"""The dispatcher: claims, hands over, records. The one place where messages leave.

What may leave is decided in `butler.actions.dispatch_gate`, inside the transaction that takes the
lease; whoever holds a lease may start to hand over until it closes, and not a moment later.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from butler.actions import delivery_reports, dispatch_gate, outcomes, provider_limits
from butler.actions.dispatch_gate import Claimed, OutgoingMessage, QueuedMessage
from butler.actions.outcomes import DeliveryOutcome
from butler.failpoints import failpoint
from channels.adapters import adapters_of, channels
from channels.protocol import Adapter, Handover, Parcel
from channels.unsubscribe import unsubscribe_url

BATCH = 25
# A provider that takes a full batch in so few seconds takes twice as many in the next: every
# batch asks the database as often, and waits for the disk twice. Whoever withdraws meanwhile
# waits for one batch at most, so it grows no further.
_QUICK = 0.15
# Seconds in which the parcels of a batch may set out; the rest goes back to the queue.
LEAVING = 2.0
# A call to a provider that began in time ends within its timeout, so the lease covers it.
_MARGIN = 0.5
# How often, and how many seconds apart, to look again at customers who are in other hands.
_LOOKS = 20
_MOMENT = 0.01

_log = logging.getLogger(__name__)

type Clock = Callable[[], datetime]


class Delivered(NamedTuple):
    """What one round came to."""

    looked_at: int
    accepted: int
    failed: int


def deliver(channel: str, *, clock: Clock, seconds: float = 15.0, most: int = BATCH) -> Delivered:
    """Hand over what waits for a channel, batch after batch, until nothing does."""
    total, size = Delivered(0, 0, 0), most
    ends = (began := time.monotonic()) + seconds
    while began < ends:
        done = _deliver_some(channel, clock=clock, most=size)
        if not done.looked_at:
            break
        total = Delivered(*(a + b for a, b in zip(total, done, strict=True)))
        took, began = time.monotonic() - began, time.monotonic()
        size = 2 * most if done.accepted >= most and took < _QUICK * size / most else most
    return total


def _deliver_some(channel: str, *, clock: Clock, most: int) -> Delivered:
    """Hand over one batch through the first provider of a channel that has not to rest."""
    batches = settings.BUTLER_PROVIDER_BATCHES
    for place, adapter in enumerate(adapters_of(channel)):
        key = provider_limits.provider_key(channel, place)
        room = provider_limits.acquire(key, limit=most, batches=batches, now=clock())
        if room.allowed:
            return deliver_batch(adapter, clock=clock, most=room.allowed, provider_key=key)
        # A provider at its limit is waited for; the next one is for when this one fails.
        if not room.is_cooling_down:
            break
    return Delivered(0, 0, 0)


def deliver_all(*, clock: Clock, seconds: float = 15.0) -> Delivered:
    """Settle what fell silent, then hand over what waits for any channel."""
    outcomes.sweep(now=clock())
    delivery_reports.sweep(now=clock())
    total = Delivered(0, 0, 0)
    for channel in channels():
        done = deliver(channel, clock=clock, seconds=seconds)
        total = Delivered(*(a + b for a, b in zip(total, done, strict=True)))
    return total


def deliver_batch(
    adapter: Adapter, *, clock: Clock, most: int, provider_key: str = ""
) -> Delivered:
    """Claim one batch, hand it over, and write down what came of it.

    `provider_key` is the provider whose limits apply; empty: the first one of the channel.
    """
    leads = _Leads()
    failpoint("before claim")
    for _ in range(_LOOKS):
        began = time.monotonic()
        claimed = dispatch_gate.claim(
            channel=adapter.channel,
            provider=adapter.provider,
            now=clock(),
            limit=most,
            lease=LEAVING + adapter.timeout + _MARGIN,
            links=leads.of,
        )
        # Left to the next tick, what is in other hands for a moment would wait for a second.
        if not claimed.skipped_count:
            break
        time.sleep(_MOMENT)
    failpoint("after claim")
    if not claimed.outgoing:
        return Delivered(claimed.claimed_count, 0, 0)
    parcels = [_parcel(one, claimed, leads) for one in claimed.outgoing]
    results = list(_hand_over(adapter, claimed, parcels, closes_at=began + LEAVING))
    failpoint("before outcome")
    outcomes.record(results, now=clock())
    failpoint("after outcome")
    provider_limits.record_outcomes(
        provider_key or adapter.channel, [one.outcome for one in results], now=clock()
    )
    accepted = sum(one.outcome == "accepted" for one in results)
    return Delivered(claimed.claimed_count, accepted, len(results) - accepted)


def _hand_over(
    adapter: Adapter, claimed: Claimed, parcels: Sequence[Parcel], *, closes_at: float
) -> Iterator[DeliveryOutcome]:
    """Yield what came of each parcel; what did not leave in time goes back."""
    unsettled = {one.delivery_id: _unsettled(adapter, one, claimed) for one in claimed.outgoing}
    before = time.monotonic()
    failed = False
    try:
        for handover in adapter.hand_over(parcels, lambda: time.monotonic() < closes_at):
            failpoint("after provider")
            moment = time.monotonic()
            one = unsettled.pop(handover.delivery_id)
            yield _settled(one, handover, int((moment - before) * 1000))
            before = moment
    except Exception as error:  # noqa: BLE001  # an adapter's own fault, and it may have sent
        _log.error("an adapter failed: %s", type(error).__name__)
        failed = True
    for one in unsettled.values():
        # Only the first of the rest can have been under way.
        yield one._replace(outcome="uncertain" if failed else "returned")
        failed = False


def _unsettled(adapter: Adapter, left: OutgoingMessage, claimed: Claimed) -> DeliveryOutcome:
    return DeliveryOutcome(
        delivery_id=left.delivery_id,
        message_id=left.message_id,
        outcome="returned",
        message_class=claimed.queued[left.message_id].message_class,
        number=left.number,
        is_idempotent=adapter.is_idempotent,
        is_local=adapter.channel == "inbox",
    )


def _settled(one: DeliveryOutcome, handover: Handover, latency: int) -> DeliveryOutcome:
    return one._replace(
        outcome=handover.result,
        provider_id=handover.provider_id[:200],
        code=handover.code[:64],
        detail=handover.detail,
        retry_after=handover.retry_after,
        suppress=handover.suppress,
        latency_ms=latency,
    )


def _parcel(left: OutgoingMessage, claimed: Claimed, leads: "_Leads") -> Parcel:
    waiting = claimed.queued[left.message_id]
    return Parcel(
        id=left.message_id,
        delivery_id=left.delivery_id,
        customer_id=left.customer_id,
        to=left.address,
        language=left.language,
        subject=left.subject,
        text=left.text,
        html=claimed.html[left.message_id],
        message_class=waiting.message_class,
        topic=waiting.topic,
        unsubscribe_url=leads.of(waiting).get("unsubscribe", ""),
    )


class _Leads:
    """The links of one batch: they are signed once, for the words and for the envelope."""

    def __init__(self) -> None:
        self._known: dict[UUID, Mapping[str, str]] = {}

    def of(self, waiting: QueuedMessage) -> Mapping[str, str]:
        if waiting.id not in self._known:
            self._known[waiting.id] = links(waiting)
        return self._known[waiting.id]


def links(waiting: QueuedMessage) -> Mapping[str, str]:
    """Return the addresses that the words of a message can lead to."""
    site = settings.BUTLER_SITE_URL.rstrip("/")
    found = {
        "site": site,
        "preferences": f"{site}/preferences/",
        "why": f"{site}/why/",
    }
    if waiting.message_class not in ("legal_duty", "service_critical"):
        found["unsubscribe"] = unsubscribe_url(
            customer_id=waiting.customer_id,
            message_id=waiting.id,
            purpose=waiting.purpose,
            topic=waiting.topic,
        )
    return found
