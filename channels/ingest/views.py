"""`/v1/`: what apps, sites and servers send with a published Segment or RudderStack client."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from channels.ingest import clock, cloudevents, envelope, http, load_shedding, segment, store
from channels.ingest.envelope import Envelope
from channels.ingest.http import Refusal
from channels.ingest.limits import LARGE_ITEM
from channels.ingest.salvage import NotABatch
from channels.ingest.segment import Frame
from customers.access import keys
from customers.types import RejectedItem, Sender

KINDS = {
    "t": "track",
    "i": "identify",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
} | {kind: kind for kind in segment.KINDS}


@http.endpoint("POST")
def batch(request: HttpRequest) -> HttpResponse:
    """Take in a batch of events."""
    return _take(request, envelope.open_batch)


@http.endpoint("POST")
def single(request: HttpRequest, kind: str) -> HttpResponse:
    """Take in one event whose kind the route names."""
    return _take(request, envelope.open_single, KINDS[kind])


def _take(
    request: HttpRequest, open_body: Callable[[bytes], Envelope], kind: str = ""
) -> HttpResponse:
    now = timezone.now()
    received = http.read_body(request)
    with load_shedding.place():
        admission = http.admit(request, received)
        opened = _opened(open_body, admission.body)
        sender = admission.sender(opened.write_key)
        load_shedding.take(sender.source_id, len(opened.items), now)
        frame = Frame(
            received_at=now,
            error=clock.error_of(clock.parse(opened.sent_at), now, is_retry=_is_retry(request)),
            is_trusted=sender.is_trusted,
            kind=kind,
            context=opened.context,
            integrations=opened.integrations,
        )
        found = [segment.read(raw, frame) for raw in opened.items]
        if opened.write_key:
            found = [_without_key(one, opened.write_key) for one in found]
        outcomes = store.take_in(
            sender=sender, found=found, received_at=now, is_strict=http.is_strict(request)
        )
    large = sum(len(raw) > LARGE_ITEM for raw in opened.items)
    return store.success(outcomes, warnings=large)


@http.endpoint("POST")
def events(request: HttpRequest) -> HttpResponse:
    """Take in CloudEvents 1.0: structured, binary or a batch."""
    now = timezone.now()
    received = http.read_body(request)
    with load_shedding.place():
        sender = http.find_sender(request)
        raws = _cloudevents(request, http.unpack(request, received))
        load_shedding.take(sender.source_id, len(raws), now)
        frame = Frame(received_at=now, is_trusted=sender.is_trusted)
        outcomes = store.take_in(
            sender=sender,
            found=[cloudevents.read(raw, frame) for raw in raws],
            received_at=now,
            is_strict=http.is_strict(request),
        )
    return store.success(outcomes)


@http.endpoint("GET")
def settings(request: HttpRequest, key: str) -> HttpResponse:
    """Tell a browser or phone where to send; React Native sends nothing before it knows."""
    sender: Sender | None = keys.find_sender(key)
    if sender is None:
        raise Refusal(404, "unknown_key", "No source has this key.")
    return http.json_response(
        {
            "integrations": {
                "Segment.io": {
                    "apiKey": key,
                    "apiHost": f"{request.get_host()}/v1",
                    "protocol": request.scheme,
                    # Switches on the retries of Swift and Kotlin that obey Retry-After.
                    "httpConfig": {
                        "rateLimitConfig": {"enabled": True},
                        "backoffConfig": {"enabled": True},
                    },
                }
            },
            "plan": {
                "track": {"__default": {"enabled": True, "integrations": {}}},
                "identify": {"__default": {"enabled": True}},
                "group": {"__default": {"enabled": True}},
            },
            "edgeFunction": {},
        }
    )


@http.endpoint("POST")
def metrics(request: HttpRequest) -> HttpResponse:
    """Take a browser client's figures about itself, and throw them away."""
    return store.success([])


@http.endpoint("GET", "POST")
def nothing(request: HttpRequest) -> HttpResponse:
    """Say in the wire's own shape that there is nothing here."""
    raise Refusal(404, "unknown_route", "There is nothing at this address.")


def _opened(open_body: Callable[[bytes], Envelope], body: bytes) -> Envelope:
    try:
        return open_body(body)
    except NotABatch as error:
        raise Refusal(400, "invalid_json", f"Nothing was stored: {error}.") from None
    except envelope.TooMany as error:
        raise Refusal(413, "too_many_events", f"Nothing was stored: {error}.") from None


def _cloudevents(request: HttpRequest, body: bytes) -> list[bytes]:
    attributes = {
        name[8:].lower(): value
        for name, value in request.META.items()
        if name.startswith("HTTP_CE_")
    }
    if "specversion" in attributes:
        return [cloudevents.join(attributes, request.content_type or "", body)]
    opened = _opened(cloudevents.open_body, body)
    return opened.items


def _without_key(one: segment.Found, key: str) -> segment.Found:
    # What goes to quarantine is shown to staff; a secret key is not for them.
    if isinstance(one, RejectedItem) and key.encode() in one.raw:
        raw = one.raw.replace(key.encode(), b"(key)")
        return RejectedItem(raw, one.reason, one.detail, one.message_id)
    return one


def _is_retry(request: HttpRequest) -> bool:
    return request.META.get("HTTP_X_RETRY_COUNT", "0").strip() not in ("", "0")
