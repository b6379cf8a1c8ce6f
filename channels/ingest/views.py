"""The `/v1/` endpoints for apps, sites and servers with a Segment or RudderStack client."""

import re
from collections.abc import Callable
from datetime import datetime, tzinfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from channels.ingest import (
    authentication,
    batches,
    bodies,
    clock,
    cloudevents,
    customer_tokens,
    http,
    load_shedding,
    segment,
    store,
)
from channels.ingest.batches import EventBatch
from channels.ingest.http import ErrorResponse
from channels.ingest.limits import LARGE_EVENT
from channels.ingest.segment import RequestContext
from channels.ingest.store import StoredEvents
from channels.ingest.tolerant_json import InvalidBatch
from customers.types import TILL_CHANNELS, IngestWarning, RejectedItem, Sender
from customers.values import times

# The kinds by route: `/v1/track`, and `/v1/t`, the short form of some clients.
KINDS = {kind[0]: kind for kind in segment.KINDS} | {kind: kind for kind in segment.KINDS}

# Keys of sources, as customers.actions.sources makes them.
_KEYS = re.compile(rb"\b[ps]k_[A-Za-z0-9_-]{20,}")


@http.endpoint("POST")
def batch(request: HttpRequest) -> HttpResponse:
    """Store a batch of events."""
    return _ingest(request, batches.parse_batch)


@http.endpoint("POST")
def single(request: HttpRequest, kind: str) -> HttpResponse:
    """Store one event; the route names its kind."""
    return _ingest(request, batches.parse_single, KINDS[kind])


def _ingest(
    request: HttpRequest, parse_body: Callable[[bytes], EventBatch], kind: str = ""
) -> HttpResponse:
    now = timezone.now()
    body = bodies.read_body(request)
    with load_shedding.request_slot():
        authenticated = authentication.authenticate_body(request, body)
        batch = _parse(parse_body, authenticated.body)
        sender = authenticated.sender(batch.write_key)
        load_shedding.check_event_limit(request, sender.source_id, len(batch.raw_events), now)
        request_context = _batch_context(request, batch, sender, kind, now)
        events = [segment.read_event(raw, request_context) for raw in batch.raw_events]
        events = [_redact_secrets(event, batch.write_key) for event in events]
        stored = store.store_events(
            sender=sender, events=events, received_at=now, is_strict=http.is_strict(request)
        )
    if not sender.is_public:
        large = sum(len(raw) > LARGE_EVENT for raw in batch.raw_events)
        stored = _with_large_events(stored, large)
    return store.success_response(stored)


def _with_large_events(stored: StoredEvents, large: int) -> StoredEvents:
    """Add the warning about large events, which only the answer contains."""
    if not large:
        return stored
    warnings = [*stored.warnings, IngestWarning("large_event", large, "")]
    return stored._replace(warnings=warnings)


def _batch_context(
    request: HttpRequest, batch: EventBatch, sender: Sender, kind: str, now: datetime
) -> RequestContext:
    """Return the values that all events of a batch share."""
    zone = _local_zone(sender)
    sent_at = None if _is_import(request) else times.read_instant(batch.sent_at, zone)
    return RequestContext(
        received_at=now,
        clock_error=clock.estimate_error(
            sent_at,
            now,
            is_retry=_is_retry(request),
            is_server=sender.is_secret,
        ),
        is_trusted=sender.is_trusted,
        local_zone=zone,
        kind=kind,
        context=batch.context,
        integrations=batch.integrations,
        find_customer=customer_tokens.customer_finder(request, sender),
    )


def _local_zone(sender: Sender) -> tzinfo | None:
    """Return the zone of times without an offset, which tills and gates send; None for others."""
    return timezone.get_default_timezone() if sender.channel in TILL_CHANNELS else None


@http.endpoint("POST")
def events(request: HttpRequest) -> HttpResponse:
    """Store CloudEvents 1.0: structured, binary or a batch."""
    now = timezone.now()
    received = bodies.read_body(request)
    with load_shedding.request_slot():
        sender = authentication.find_sender(request)
        raw_events = _cloudevents(request, bodies.decompress(request, received))
        load_shedding.check_event_limit(request, sender.source_id, len(raw_events), now)
        request_context = RequestContext(
            received_at=now,
            is_trusted=sender.is_trusted,
            local_zone=_local_zone(sender),
            find_customer=customer_tokens.customer_finder(request, sender),
        )
        stored = store.store_events(
            sender=sender,
            events=[cloudevents.read_event(raw, request_context) for raw in raw_events],
            received_at=now,
            is_strict=http.is_strict(request),
        )
    return store.success_response(stored)


@http.endpoint("POST")
def metrics(request: HttpRequest) -> HttpResponse:
    """Accept the metrics of a browser client about itself, and discard them."""
    return store.success_response(StoredEvents([]))


@http.endpoint("GET", "POST")
def unknown_route(request: HttpRequest) -> HttpResponse:
    """Answer 404 as a document of the ingest API."""
    raise ErrorResponse(404, "unknown_route", "This path does not exist.")


def _parse(parse_body: Callable[[bytes], EventBatch], body: bytes) -> EventBatch:
    try:
        return parse_body(body)
    except InvalidBatch as error:
        raise ErrorResponse(400, "invalid_json", f"No event was stored: {error}.") from None
    except batches.TooManyEvents as error:
        raise ErrorResponse(413, "too_many_events", f"No event was stored: {error}.") from None


def _cloudevents(request: HttpRequest, body: bytes) -> list[bytes]:
    attributes = {
        name[8:].lower(): value
        for name, value in request.META.items()
        if name.startswith("HTTP_CE_")
    }
    if "specversion" in attributes:
        return [cloudevents.structured_from_binary(attributes, request.content_type or "", body)]
    batch = _parse(cloudevents.parse_body, body)
    return batch.raw_events


def _redact_secrets(event: segment.ParsedEvent, write_key: str) -> segment.ParsedEvent:
    """Remove keys and identity tokens from a rejected item, which staff can read in quarantine.

    A damaged piece may hold the keys of other bodies beside the key of its request.
    """
    if not isinstance(event, RejectedItem):
        return event
    raw = customer_tokens.TOKENS.sub(b"(token)", _KEYS.sub(b"(key)", event.raw))
    if write_key:
        raw = raw.replace(write_key.encode(), b"(key)")
    return RejectedItem(raw, event.reason, event.detail, event.message_id)


def _is_retry(request: HttpRequest) -> bool:
    return request.META.get("HTTP_X_RETRY_COUNT", "0").strip() not in ("", "0")


def _is_import(request: HttpRequest) -> bool:
    """Tell whether the events are of an archive, so that the time of sending says nothing."""
    return request.path.rstrip("/").endswith("/import")
