"""The endpoint `/v1/webhooks/<source>` for signed webhooks by Standard Webhooks."""

from collections.abc import Iterable
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from channels.ingest import bodies, http, load_shedding, store
from channels.ingest.http import ErrorResponse
from channels.ingest.segment import RequestContext
from channels.webhook import events, signature, sources


@http.endpoint("POST")
def receive(request: HttpRequest, source: str) -> HttpResponse:
    """Store one signed webhook; a repeated delivery changes nothing."""
    now = timezone.now()
    received = bodies.read_body(request)
    message_id = request.META.get("HTTP_WEBHOOK_ID", "")
    with load_shedding.request_slot():
        sender, secrets = sources.find_signing_source(source)
        # The signature covers the decompressed body. It is checked before the body is parsed.
        body = bodies.decompress(request, received)
        _verify_signature(request, secrets, body, now)
        load_shedding.check_event_limit(request, sender.source_id, 1, now)
        event = events.read_event(
            body, message_id, RequestContext(received_at=now, is_trusted=True)
        )
        stored = store.store_events(
            sender=sender, events=[event], received_at=now, is_strict=http.is_strict(request)
        )
    return store.success_response(stored)


def _verify_signature(
    request: HttpRequest, secrets: Iterable[str], body: bytes, now: datetime
) -> None:
    """Raise ErrorResponse unless one of the secrets signed this body."""
    try:
        signature.verify(
            secrets,
            message_id=request.META.get("HTTP_WEBHOOK_ID", ""),
            timestamp=request.META.get("HTTP_WEBHOOK_TIMESTAMP", ""),
            signatures=request.META.get("HTTP_WEBHOOK_SIGNATURE", ""),
            body=body,
            now=now,
        )
    except signature.InvalidSignature as error:
        raise ErrorResponse(401, "wrong_signature", f"The signature is invalid: {error}.") from None
