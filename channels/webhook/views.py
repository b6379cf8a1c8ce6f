"""`/v1/webhooks/<source>`: signed webhooks of other systems, by Standard Webhooks."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from channels.ingest import http, load_shedding, store
from channels.ingest.http import Refusal
from channels.ingest.segment import Frame
from channels.webhook import events, signature, sources


@http.endpoint("POST")
def receive(request: HttpRequest, source: str) -> HttpResponse:
    """Take in one signed webhook; sent again, it changes nothing."""
    now = timezone.now()
    received = http.read_body(request)
    message_id = request.META.get("HTTP_WEBHOOK_ID", "")
    with load_shedding.place():
        sender, secrets = sources.find(source)
        # What is signed is the text that was packed; nothing of it is read before that is checked.
        body = http.unpack(request, received)
        try:
            signature.check(
                secrets,
                message_id=message_id,
                timestamp=request.META.get("HTTP_WEBHOOK_TIMESTAMP", ""),
                signatures=request.META.get("HTTP_WEBHOOK_SIGNATURE", ""),
                body=body,
                now=now,
            )
        except signature.WrongSignature as wrong:
            raise Refusal(401, "wrong_signature", f"Not accepted: {wrong}.") from None
        load_shedding.take(sender.source_id, 1, now)
        found = events.read(body, message_id, Frame(received_at=now, is_trusted=True))
        outcomes = store.take_in(
            sender=sender, found=[found], received_at=now, is_strict=http.is_strict(request)
        )
    return store.success(outcomes)
