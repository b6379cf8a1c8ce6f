"""What a provider of mail reports of our letters, in its own webhook, read by anymail.

Anymail knows each provider's payload and signature; what comes out is the same for all of them.
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
from channels.email import codes
from channels.email.mailer import MailerWay
from channels.ingest.http import ErrorResponse

# Who opened what and tapped where is not ours to collect, even where a provider sends it.
_KINDS = {
    EventType.QUEUED: "accepted",
    EventType.SENT: "accepted",
    EventType.REJECTED: "rejected",
    EventType.FAILED: "rejected",
    EventType.BOUNCED: "failed",
    EventType.DEFERRED: "deferred",
    EventType.DELIVERED: "delivered",
    EventType.COMPLAINED: "complained",
}
# What providers call it where they give no code: "HardBounce", "hard_bounce", "permanent".
_HARD = re.compile(r"(activity\.)?hard_?bounced?|permanent", re.IGNORECASE)
_DEPTH = 4
# What a payload that is not the provider's makes of its reader, also before it is checked.
_ODD = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    OSError,
    RecursionError,
)


def provider() -> str:
    """Return the provider of mail whose reports are taken; empty: none is set up for it."""
    backend: str = settings.MAILERS["default"]["BACKEND"]
    is_known = backend.startswith("anymail.") and settings.MAIL_WEBHOOK
    return MailerWay.name(backend) if is_known else ""


def read(request: HttpRequest) -> list[AnymailTrackingEvent]:
    """Check who reports, and read what. Raises ErrorResponse."""
    name = provider()
    if not name:
        raise ErrorResponse(404, "no_reports", "No provider of mail is set up to report here.")
    view = _view(name)
    if view.warn_if_no_basic_auth and not view.basic_auth:
        raise ErrorResponse(404, "no_reports", "This provider needs a webhook_secret.")
    try:
        view.run_validators(request)
        found = view.parse_events(request)
    except AnymailWebhookValidationFailure:
        raise ErrorResponse(401, "wrong_signature", "This was not sent by our provider.") from None
    except _ODD:
        raise ErrorResponse(400, "not_understood", "This is no report that we can read.") from None
    return [one for one in found if isinstance(one, AnymailTrackingEvent)]


def report(event: AnymailTrackingEvent, *, now: datetime) -> DeliveryReport | None:
    """Return what an event says of a letter; None: nothing that counts."""
    kind = _KINDS.get(event.event_type)
    provider_id, ours = name_of(event), _ours(event)
    if kind is None or not (provider_id or ours):
        return None
    code = codes.find(f"{event.mta_response or ''} {event.description or ''}")
    if kind in ("failed", "rejected") and _is_dead(event, code):
        kind = "bounced"
    return DeliveryReport(
        event_id=_name(event.event_id) or f"{provider_id or ours}:{event.event_type}:{code}",
        kind=kind,
        # A wrong clock over there must not put it ahead of what comes later.
        occurred_at=min(event.timestamp or now, now),
        provider_id=provider_id,
        message_id=ours,
        detail=code,
    )


def name_of(event: AnymailTrackingEvent) -> str:
    """Return how the provider calls the letter; empty where it is no name."""
    return _name(event.message_id)


def is_unsubscribed(event: AnymailTrackingEvent) -> bool:
    """Tell whether somebody used the provider's own way to end mail."""
    return bool(event.event_type == EventType.UNSUBSCRIBED)


def _view(name: str) -> AnymailBaseWebhookView:
    """Return anymail's view of this provider, which is never asked to dispatch anything."""
    module = import_module(f"anymail.webhooks.{name}")
    [view] = [
        one
        for one in vars(module).values()
        if isinstance(one, type)
        and one.__module__ == module.__name__
        and one.__name__.endswith(("TrackingWebhookView", "CombinedWebhookView"))
    ]
    return view(**settings.MAIL_WEBHOOK)


def _ours(event: AnymailTrackingEvent) -> str:
    metadata = event.metadata if isinstance(event.metadata, Mapping) else {}
    try:
        return str(UUID(str(metadata.get("message", ""))))
    except ValueError:
        return ""


def _name(said: object) -> str:
    # Postgres takes no NUL and no half of a pair, not even to look for it.
    name = str(said or "")
    return name if name.isprintable() else ""


def _is_dead(event: AnymailTrackingEvent, code: str) -> bool:
    """Tell whether nothing will ever reach the address: a full mailbox is no dead one."""
    if code and not code.endswith(".0.0"):
        return codes.is_dead(code)
    if event.event_type == EventType.REJECTED:
        # The provider keeps a list, and somebody before us found the address dead.
        return event.reject_reason in (RejectReason.BOUNCED, RejectReason.INVALID)
    return any(_HARD.fullmatch(text) for text in _texts(event.esp_event))


def _texts(value: Any, depth: int = _DEPTH) -> Iterator[str]:
    """Yield the texts of a payload, and the names of what is true in it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping) and depth:
        for name, one in value.items():
            yield from _texts(str(name) if one is True else one, depth - 1)
