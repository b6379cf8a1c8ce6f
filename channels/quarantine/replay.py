"""Takes things out of quarantine: they are read again, by the reader as it is today."""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from channels.ingest import cloudevents, segment
from channels.ingest.segment import ParsedEvent, RequestContext
from channels.webhook import events as webhooks
from customers import ingest
from customers.models import Evidence, QuarantinedItem
from customers.types import IncomingEvent, IngestOutcome, Sender


def replay(*, item_id: int, now: datetime) -> IngestOutcome | None:
    """Try one thing again, as if it came when it came; None where there is no such thing.

    What was taken in says so and is not tried again; what is refused stays, with its reason.
    """
    with transaction.atomic():
        kept = (
            QuarantinedItem.objects.select_for_update(of=("self",))
            .select_related("source")
            .filter(pk=item_id)
            .first()
        )
        if kept is None:
            return None
        if kept.replayed_at:
            return IngestOutcome("duplicate", reason="replayed")
        outcome = _again(kept)
        if outcome.status in ("accepted", "duplicate"):
            kept.replayed_at = now
            kept.save(update_fields=["replayed_at"])
        return outcome


def waiting(*, reason: str = "", source: str = "") -> Iterator[int]:
    """Return the ids of what has not been taken in, oldest first."""
    rows = QuarantinedItem.objects.filter(replayed_at__isnull=True)
    if reason:
        rows = rows.filter(reason=reason)
    if source:
        rows = rows.filter(source__name=source)
    return rows.order_by("id").values_list("id", flat=True).iterator()


def _again(kept: QuarantinedItem) -> IngestOutcome:
    is_trusted = kept.evidence == Evidence.VERIFIED
    # The moment it came is kept: the clock's correction was lost with the request around it.
    found = _read(kept, RequestContext(kept.received_at, is_trusted=is_trusted))
    if not isinstance(found, IncomingEvent):
        return IngestOutcome("quarantined", reason=found.reason)
    receipt = ingest.record(
        sender=_sender(kept, is_trusted), items=[found], received_at=kept.received_at
    )
    return receipt.outcomes[0]


def _read(kept: QuarantinedItem, request_context: RequestContext) -> ParsedEvent:
    """Read it as what it came as: one of the shapes, by the marks that each of them has."""
    raw = bytes(kept.raw)
    if b'"specversion"' in raw:
        return cloudevents.read_event(raw, request_context)
    if kept.source.webhook_secrets and kept.message_id:
        return webhooks.read_event(raw, kept.message_id, request_context)
    return segment.read_event(raw, request_context)


def _sender(kept: QuarantinedItem, is_trusted: bool) -> Sender:
    source = kept.source
    return Sender(
        source_id=source.pk,
        name=source.name,
        channel=source.channel,
        is_trusted=is_trusted,
        is_secret=kept.is_secret,
        is_shared=source.is_shared,
        default_region=source.default_region or None,
    )
