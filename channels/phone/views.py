"""The `/v1/phone/` webhooks: a telephone system reports calls, and gets the possible callers."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from twilio.twiml.voice_response import VoiceResponse

from channels.ingest import authentication, bodies, http, load_shedding, segment, store
from channels.ingest.store import StoredEvents
from channels.phone import calls, multipart
from channels.phone.calls import CallerContext, CallEvent
from channels.webhook import sources
from channels.webhook import twilio as twilio_webhook
from customers.access import access_log
from customers.actions.calls import follow_refiled_call
from customers.events.actors import actor_by_source
from customers.identity import lookup
from customers.identity.lookup import Match
from customers.types import IncomingEvent, Sender


@http.endpoint("POST")
def call(request: HttpRequest) -> HttpResponse:
    """Store a newCall, answer or hangup, and return the customers with the number."""
    received = bodies.read_body(request)
    with load_shedding.request_slot():
        sender = authentication.find_trusted_sender(request)
        with http.invalid_event_refused():
            fields = _call_fields(bodies.decompress(request, received))
            call_event = calls.parse_call(fields, _context(sender))
        # Look up before storing, because storing the call makes a record for an unknown number.
        matches = _matches(sender, call_event.number)
        stored = _record(request, sender, call_event)
    outcome = stored.outcomes[0]
    if outcome.status not in ("accepted", "duplicate"):
        # The answer to a call that was not stored contains no customer.
        matches = ()
    _log_access(sender, call_event, matches)
    answer = {
        "success": True,
        "status": outcome.status,
        "customer": outcome.customer_id,
        "matches": ("none", "one", "many")[min(len(matches), 2)],
        "customers": [match._asdict() for match in matches],
    }
    return store.add_count_headers(http.json_response(answer), stored)


def _log_access(sender: Sender, call_event: CallEvent, matches: Sequence[Match]) -> None:
    """Log that the answer to a call shows these customers to the telephone system."""
    person = call_event.event["context"].get("actor", "").partition(":")[2]
    access_log.log_api_access(
        customer_ids=[match.id for match in matches],
        actor=actor_by_source(sender.name, person),
        role=access_log.SYSTEM,
        what="call",
        now=timezone.now(),
    )


@http.endpoint("POST")
def twilio(request: HttpRequest, source: str) -> HttpResponse:
    """Store a voice webhook or status callback of Twilio, and answer with TwiML.

    `?dial=+31…` in the URL, which is signed too, connects the caller to that number.
    """
    received = bodies.read_body(request)
    with load_shedding.request_slot():
        sender, secrets = sources.find_signing_source(source)
        fields, _ = twilio_webhook.verified_fields(request, received, secrets)
        with http.invalid_event_refused():
            call_event = calls.parse_twilio_call(fields, _context(sender))
        _record(request, sender, call_event)
    response = VoiceResponse()
    if number := request.GET.get("dial"):
        response.dial(number)
    return HttpResponse(str(response), content_type="text/xml")


def _call_fields(body: bytes) -> Mapping[str, object]:
    """Return the fields of a JSON object or of a form of either type. Raises ErrorResponse."""
    if multipart.is_multipart(body):
        twilio_webhook.check_form_size(body)
        return multipart.parse_multipart(body)
    return twilio_webhook.parse_fields(body)


def _record(request: HttpRequest, sender: Sender, call_event: CallEvent) -> StoredEvents:
    now = timezone.now()
    load_shedding.check_event_limit(request, sender.source_id, 1, now)
    request_context = segment.RequestContext(received_at=now, is_trusted=sender.is_trusted)
    parsed_event = segment.build_or_reject(call_event.event, request_context)
    stored = store.store_events(sender=sender, events=[parsed_event], received_at=now)
    if isinstance(parsed_event, IncomingEvent) and parsed_event.name != "Call Started":
        _follow_refiled_call(stored, parsed_event.about, now)
    return stored


def _follow_refiled_call(stored: StoredEvents, about: str, now: datetime) -> None:
    """File a later event of a call where staff filed the call, or a proof of the number."""
    outcome = stored.outcomes[0]
    if outcome.customer_id and outcome.status == "accepted":
        follow_refiled_call(outcome.customer_id, about, now=now)


def _context(sender: Sender) -> CallerContext:
    return CallerContext(sender.source_id, sender.default_region or settings.BUTLER_COUNTRY)


def _matches(sender: Sender, number: str) -> Sequence[Match]:
    return lookup.find_callers(number) if "read" in sender.scopes else []
