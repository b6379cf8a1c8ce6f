"""Read the webhook of the mail provider through anymail.

Anymail knows the payload and the signature of each provider, and returns the same kind of events
for all of them.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib import import_module
from typing import Any
from uuid import UUID

from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from anymail.webhooks.base import AnymailBaseWebhookView
from django.conf import settings
from django.http import HttpRequest

from butler.messages.delivery_reports import DeliveryReport
from channels.email import status_codes
from channels.email.mailer import MailerTransport
from channels.ingest.http import ErrorResponse

# Butler does not store opens and clicks, even if a provider sends them.
_KIND_BY_EVENT_TYPE = {
    EventType.QUEUED: "accepted",
    EventType.SENT: "accepted",
    EventType.REJECTED: "rejected",
    EventType.FAILED: "rejected",
    EventType.BOUNCED: "failed",
    EventType.DEFERRED: "deferred",
    EventType.DELIVERED: "delivered",
    EventType.COMPLAINED: "complained",
}
# The providers' names for a hard bounce without a code: "HardBounce", "hard_bounce", "permanent".
_HARD_BOUNCE = re.compile(r"(activity\.)?hard_?bounced?|permanent", re.IGNORECASE)
_MAX_DEPTH = 4
# The errors that anymail raises for a payload of another sender, also before it verifies it.
_UNREADABLE_ERRORS = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    OSError,
    RecursionError,
)


def reporting_provider() -> str:
    """Return the mail provider that may send reports; empty if none is configured."""
    backend: str = settings.MAILERS["default"]["BACKEND"]
    is_known = backend.startswith("anymail.") and settings.MAIL_WEBHOOK
    return MailerTransport.provider_name(backend) if is_known else ""


def read_events(request: HttpRequest) -> list[AnymailTrackingEvent]:
    """Verify the request and return its events. Raises ErrorResponse."""
    name = reporting_provider()
    if not name:
        raise ErrorResponse(404, "no_reports", "No mail provider is configured to send reports.")
    view = _webhook_view(name)
    if view.warn_if_no_basic_auth and not view.basic_auth:
        raise ErrorResponse(404, "no_reports", "MAIL_WEBHOOK needs a webhook_secret.")
    try:
        view.run_validators(request)
        events = view.parse_events(request)
    except AnymailWebhookValidationFailure:
        raise ErrorResponse(
            401, "wrong_signature", "The signature of the mail provider is wrong."
        ) from None
    except _UNREADABLE_ERRORS:
        raise ErrorResponse(
            400, "not_understood", "The request is not a valid report of the provider."
        ) from None
    return [event for event in events if isinstance(event, AnymailTrackingEvent)]


def delivery_report(event: AnymailTrackingEvent, *, now: datetime) -> DeliveryReport | None:
    """Return the delivery report of an event; None if the event reports no delivery."""
    kind = _KIND_BY_EVENT_TYPE.get(event.event_type)
    provider_id, message_id = provider_id_of(event), _own_message_id(event)
    if kind is None or not (provider_id or message_id):
        return None
    code = status_codes.find_code(f"{event.mta_response or ''} {event.description or ''}")
    if kind in ("failed", "rejected") and _is_dead_address(event, code):
        kind = "bounced"
    return DeliveryReport(
        event_id=_storable_name(event.event_id)
        or f"{provider_id or message_id}:{event.event_type}:{code}",
        kind=kind,
        # A provider's clock that runs ahead must not order this report after later ones.
        occurred_at=min(event.timestamp or now, now),
        provider_id=provider_id,
        message_id=message_id,
        detail=code,
    )


def provider_id_of(event: AnymailTrackingEvent) -> str:
    """Return the provider's id of the message; empty if it is invalid."""
    return _storable_name(event.message_id)


def is_unsubscribe(event: AnymailTrackingEvent) -> bool:
    """Return whether the customer unsubscribed with the provider's own link."""
    return bool(event.event_type == EventType.UNSUBSCRIBED)


def _webhook_view(name: str) -> AnymailBaseWebhookView:
    """Return anymail's view of this provider, for its validation and parsing only."""
    module = import_module(f"anymail.webhooks.{name}")
    [view] = [
        member
        for member in vars(module).values()
        if isinstance(member, type)
        and member.__module__ == module.__name__
        and member.__name__.endswith(("TrackingWebhookView", "CombinedWebhookView"))
    ]
    return view(**settings.MAIL_WEBHOOK)


def _own_message_id(event: AnymailTrackingEvent) -> str:
    metadata = event.metadata if isinstance(event.metadata, Mapping) else {}
    try:
        return str(UUID(str(metadata.get("message", ""))))
    except ValueError:
        return ""


def _storable_name(value: object) -> str:
    # Postgres fails on a NUL and on a lone surrogate, even in a query parameter.
    name = str(value or "")
    return name if name.isprintable() else ""


def _is_dead_address(event: AnymailTrackingEvent, code: str) -> bool:
    """Return whether the address permanently receives no mail; a full mailbox is temporary."""
    if code and not code.endswith(".0.0"):
        return status_codes.is_dead_address(code)
    if event.event_type == EventType.REJECTED:
        # The provider rejects addresses on its own list of earlier bounces.
        return event.reject_reason in (RejectReason.BOUNCED, RejectReason.INVALID)
    return any(_HARD_BOUNCE.fullmatch(text) for text in _texts(event.esp_event))


def _texts(value: Any, depth: int = _MAX_DEPTH) -> Iterator[str]:
    """Yield the texts of a payload, and the names of the members that are true."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping) and depth:
        for name, nested_value in value.items():
            yield from _texts(str(name) if nested_value is True else nested_value, depth - 1)
