"""Replay items of the quarantine with the current readers."""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from channels.ingest import cloudevents, segment
from channels.ingest.segment import ParsedEvent, RequestContext
from channels.webhook import events as webhooks
from customers import ingest
from customers.events.internal_sources import sender_of_source
from customers.models import Evidence, QuarantinedItem
from customers.types import TILL_CHANNELS, IncomingEvent, IngestOutcome


def replay(*, item_id: int, now: datetime) -> IngestOutcome | None:
    """Replay one item with its original time of arrival; return None if it does not exist.

    A stored item is marked as replayed, and a later replay returns `duplicate`. A refused item
    stays in quarantine with its reason.
    """
    with transaction.atomic():
        quarantined_item = (
            QuarantinedItem.objects.select_for_update(of=("self",))
            .select_related("source__space")
            .filter(pk=item_id)
            .first()
        )
        if quarantined_item is None:
            return None
        if quarantined_item.replayed_at:
            return IngestOutcome("duplicate", reason="replayed")
        outcome = _ingest_again(quarantined_item)
        if outcome.status in ("accepted", "duplicate"):
            quarantined_item.replayed_at = now
            quarantined_item.save(update_fields=["replayed_at"])
        return outcome


def unresolved_ids(*, reason: str = "", source: str = "") -> Iterator[int]:
    """Return the ids of the items that were not replayed, oldest first."""
    rows = QuarantinedItem.objects.filter(replayed_at__isnull=True)
    if reason:
        rows = rows.filter(reason=reason)
    if source:
        rows = rows.filter(source__name=source)
    return rows.order_by("id").values_list("id", flat=True).iterator()


def _ingest_again(quarantined_item: QuarantinedItem) -> IngestOutcome:
    is_trusted = quarantined_item.evidence == Evidence.VERIFIED
    # The item keeps its time of arrival. The correction of the client's clock is not stored.
    has_local_times = quarantined_item.source.channel in TILL_CHANNELS
    request_context = RequestContext(
        quarantined_item.received_at,
        is_trusted=is_trusted,
        local_zone=timezone.get_default_timezone() if has_local_times else None,
    )
    parsed_event = _parse(quarantined_item, request_context)
    if not isinstance(parsed_event, IncomingEvent):
        return IngestOutcome("quarantined", reason=parsed_event.reason)
    receipt = ingest.store_events(
        sender=sender_of_source(
            quarantined_item.source, is_trusted=is_trusted, is_secret=quarantined_item.is_secret
        ),
        events=[parsed_event],
        received_at=quarantined_item.received_at,
    )
    return receipt.outcomes[0]


def _parse(quarantined_item: QuarantinedItem, request_context: RequestContext) -> ParsedEvent:
    """Return the event of an item, read in its original format, which its content shows."""
    raw = bytes(quarantined_item.raw)
    if b'"specversion"' in raw:
        return cloudevents.read_event(raw, request_context)
    if quarantined_item.source.webhook_secrets and quarantined_item.message_id:
        return webhooks.read_event(raw, quarantined_item.message_id, request_context)
    return segment.read_event(raw, request_context)
