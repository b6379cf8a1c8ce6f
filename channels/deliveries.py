"""The dispatcher, which claims messages, sends them and records the outcomes.

Butler sends all messages through this module. `butler.actions.dispatch_gate` decides which
messages may be sent, in the transaction that takes the lease. The holder of a lease may start to
send a message only until the lease closes.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from butler.actions import delivery_reports, dispatch_gate, outcomes, provider_limits
from butler.actions.claimed_messages import Claimed, OutgoingMessage, QueuedMessage
from butler.actions.outcomes import DeliveryOutcome
from butler.failpoints import failpoint
from butler.types import CLASSES_BY_RELATION
from channels.adapters import adapters_of, channels
from channels.protocol import ChannelAdapter, ChannelMessage, DeliveryResult
from channels.unsubscribe import unsubscribe_url
from customers.queries.pending_mailboxes import read_pending_mailboxes

BATCH_SIZE = 25
# If a provider takes a full batch in fewer seconds than this, the next batch is twice as large:
# each batch costs the same number of statements and two waits for the disk. Batches grow no
# further, because a withdrawal of messages may have to wait for one batch.
_FAST_BATCH_SECONDS = 0.15
# Seconds in which the messages of a batch may be sent. Unsent messages return to the queue.
SEND_WINDOW = 2.0
# Seconds. A call to a provider may start just before the window ends and takes at most its
# timeout, so the lease covers both and this margin.
_LEASE_MARGIN = 0.5
# The number of attempts to claim customers whom other transactions have locked, and the seconds
# between them.
_CLAIM_ATTEMPTS = 20
_CLAIM_RETRY_SECONDS = 0.01

_log = logging.getLogger(__name__)

type Clock = Callable[[], datetime]


class DeliveryCounts(NamedTuple):
    """The numbers of messages that were claimed, accepted, and sent but not accepted."""

    claimed: int
    accepted: int
    failed: int


def deliver(
    channel: str, *, clock: Clock, seconds: float = 15.0, limit: int = BATCH_SIZE
) -> DeliveryCounts:
    """Send the queued messages of a channel in batches, for at most `seconds`."""
    total, batch_size = DeliveryCounts(0, 0, 0), limit
    deadline = (started := time.monotonic()) + seconds
    while started < deadline:
        counts = _deliver_next_batch(channel, clock=clock, limit=batch_size)
        if not counts.claimed:
            break
        total = DeliveryCounts(*(a + b for a, b in zip(total, counts, strict=True)))
        duration, started = time.monotonic() - started, time.monotonic()
        batch_size = (
            2 * limit
            if counts.accepted >= limit and duration < _FAST_BATCH_SECONDS * batch_size / limit
            else limit
        )
    return total


def _deliver_next_batch(channel: str, *, clock: Clock, limit: int) -> DeliveryCounts:
    """Send one batch through the first provider of a channel that is not cooling down."""
    batches = settings.BUTLER_PROVIDER_BATCHES
    for index, adapter in enumerate(adapters_of(channel)):
        provider_key = provider_limits.provider_key(channel, index)
        allowance = provider_limits.acquire(provider_key, limit=limit, batches=batches, now=clock())
        if allowance.allowed:
            return deliver_batch(
                adapter, clock=clock, limit=allowance.allowed, provider_key=provider_key
            )
        # The channel waits for a provider at its limit, and skips one that is cooling down.
        if not allowance.is_cooling_down:
            break
    return DeliveryCounts(0, 0, 0)


def deliver_all(*, clock: Clock, seconds: float = 15.0) -> DeliveryCounts:
    """Expire stale leases and reports, then send the queued messages of all channels."""
    outcomes.expire_leases(now=clock())
    delivery_reports.apply_waiting_reports(now=clock())
    total = DeliveryCounts(0, 0, 0)
    for channel in channels():
        counts = deliver(channel, clock=clock, seconds=seconds)
        total = DeliveryCounts(*(a + b for a, b in zip(total, counts, strict=True)))
    return total


def deliver_batch(
    adapter: ChannelAdapter, *, clock: Clock, limit: int, provider_key: str = ""
) -> DeliveryCounts:
    """Claim one batch, send it, and record the outcomes.

    `provider_key` names the provider whose limits apply; if empty, the first of the channel.
    """
    message_links = _MessageLinks()
    failpoint("before claim")
    claimed, closes_at = _claim(adapter, message_links, clock=clock, limit=limit)
    failpoint("after claim")
    if not claimed.outgoing:
        return DeliveryCounts(claimed.claimed_count, 0, 0)
    copies = _copies(adapter, claimed)
    messages = [
        _channel_message(outgoing, claimed, message_links, copies) for outgoing in claimed.outgoing
    ]
    batch_outcomes = list(_send_batch(adapter, claimed, messages, closes_at=closes_at))
    _record_outcomes(batch_outcomes, provider_key=provider_key or adapter.channel, clock=clock)
    accepted = sum(outcome.outcome == "accepted" for outcome in batch_outcomes)
    return DeliveryCounts(claimed.claimed_count, accepted, len(batch_outcomes) - accepted)


def _claim(
    adapter: ChannelAdapter, message_links: "_MessageLinks", *, clock: Clock, limit: int
) -> tuple[Claimed, float]:
    """Claim one batch, and return it with the end of its send window on the monotonic clock."""
    for _ in range(_CLAIM_ATTEMPTS):
        started = time.monotonic()
        claimed = dispatch_gate.claim(
            channel=adapter.channel,
            provider=adapter.provider,
            now=clock(),
            limit=limit,
            lease=SEND_WINDOW + adapter.timeout + _LEASE_MARGIN,
            links=message_links.of,
        )
        # Other transactions lock customers only briefly. The next tick would come a second later.
        if not claimed.skipped_count:
            break
        time.sleep(_CLAIM_RETRY_SECONDS)
    return claimed, started + SEND_WINDOW


def _send_batch(
    adapter: ChannelAdapter,
    claimed: Claimed,
    messages: Sequence[ChannelMessage],
    *,
    closes_at: float,
) -> Iterator[DeliveryOutcome]:
    """Yield the outcome of each message; messages not sent in time get "returned"."""
    unsent = {
        outcome.delivery_id: _unsent_outcome(adapter, outcome, claimed)
        for outcome in claimed.outgoing
    }
    last_result_at = time.monotonic()
    failed = False
    try:
        for delivery_result in adapter.send(messages, lambda: time.monotonic() < closes_at):
            failpoint("after provider")
            received_at = time.monotonic()
            outcome = unsent.pop(delivery_result.delivery_id)
            yield _outcome_of_result(
                outcome, delivery_result, int((received_at - last_result_at) * 1000)
            )
            last_result_at = received_at
    except Exception as error:  # noqa: BLE001  # a defect of the adapter, which may have sent
        _log.error("channel adapter failed: %s", type(error).__name__)
        failed = True
    for outcome in unsent.values():
        # Adapters send in order, so only the first remaining message may have been sent.
        yield outcome._replace(outcome="uncertain" if failed else "returned")
        failed = False


def _record_outcomes(
    batch_outcomes: Sequence[DeliveryOutcome], *, provider_key: str, clock: Clock
) -> None:
    """Record the outcomes of the messages, and update the limits of their provider."""
    failpoint("before outcome")
    outcomes.write_outcomes(batch_outcomes, now=clock())
    failpoint("after outcome")
    provider_limits.record_outcomes(
        provider_key, [outcome.outcome for outcome in batch_outcomes], now=clock()
    )


def _unsent_outcome(
    adapter: ChannelAdapter, outgoing: OutgoingMessage, claimed: Claimed
) -> DeliveryOutcome:
    return DeliveryOutcome(
        delivery_id=outgoing.delivery_id,
        message_id=outgoing.message_id,
        outcome="returned",
        message_class=claimed.queued[outgoing.message_id].message_class,
        number=outgoing.number,
        is_idempotent=adapter.is_idempotent,
        is_local=adapter.channel == "inbox",
    )


def _outcome_of_result(
    outcome: DeliveryOutcome, delivery_result: DeliveryResult, latency: int
) -> DeliveryOutcome:
    return outcome._replace(
        outcome=delivery_result.outcome,
        provider_id=delivery_result.provider_id[:200],
        code=delivery_result.code[:64],
        detail=delivery_result.detail,
        retry_after=delivery_result.retry_after,
        suppress=delivery_result.suppress,
        latency_ms=latency,
    )


def _copies(adapter: ChannelAdapter, claimed: Claimed) -> Mapping[UUID, tuple[str, ...]]:
    """Return the mailboxes that get the service messages of customers, too, by the record."""
    if adapter.address_kind != "email":
        return {}
    messages = (claimed.queued[outgoing.message_id] for outgoing in claimed.outgoing)
    ids = {
        message.customer_id for message in messages if message.message_class in CLASSES_BY_RELATION
    }
    return read_pending_mailboxes(ids) if ids else {}


def _channel_message(
    outgoing: OutgoingMessage,
    claimed: Claimed,
    message_links: "_MessageLinks",
    copies: Mapping[UUID, tuple[str, ...]],
) -> ChannelMessage:
    queued_message = claimed.queued[outgoing.message_id]
    is_service = queued_message.message_class in CLASSES_BY_RELATION
    further = copies.get(queued_message.customer_id, ()) if is_service else ()
    return ChannelMessage(
        id=outgoing.message_id,
        delivery_id=outgoing.delivery_id,
        customer_id=outgoing.customer_id,
        to=outgoing.address,
        language=outgoing.language,
        subject=outgoing.subject,
        text=outgoing.text,
        html=claimed.html[outgoing.message_id],
        message_class=queued_message.message_class,
        topic=queued_message.topic,
        unsubscribe_url=message_links.of(queued_message).get("unsubscribe", ""),
        copies=tuple(address for address in further if address != outgoing.address),
    )


class _MessageLinks:
    """The links of the messages of a batch, signed once for both the text and the headers."""

    def __init__(self) -> None:
        self._links_by_message: dict[UUID, Mapping[str, str]] = {}

    def of(self, queued_message: QueuedMessage) -> Mapping[str, str]:
        """Return the URLs of `links` for a message; only the first call signs them."""
        if queued_message.id not in self._links_by_message:
            self._links_by_message[queued_message.id] = links(queued_message)
        return self._links_by_message[queued_message.id]


def links(queued_message: QueuedMessage) -> Mapping[str, str]:
    """Return the URLs that the text of a message can link to, by name."""
    site = settings.BUTLER_SITE_URL.rstrip("/")
    urls = {
        "site": site,
        "preferences": f"{site}/preferences/",
        "why": f"{site}/why/",
    }
    if queued_message.message_class not in ("legal_duty", "service_critical"):
        urls["unsubscribe"] = unsubscribe_url(
            customer_id=queued_message.customer_id,
            message_id=queued_message.id,
            purpose=queued_message.purpose,
            topic=queued_message.topic,
        )
    return urls
