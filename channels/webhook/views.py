"""`/v1/webhooks/<source>`: signed webhooks of other systems, by Standard Webhooks."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from channels.ingest import intake, overload, wire
from channels.ingest.segment import Frame
from channels.ingest.wire import Refusal
from channels.webhook import events, signature, sources


@wire.endpoint("POST")
def receive(request: HttpRequest, source: str) -> HttpResponse:
    """Take in one signed webhook; sent again, it changes nothing."""
    now = timezone.now()
    received = wire.read_body(request)
    message_id = request.META.get("HTTP_WEBHOOK_ID", "")
    with overload.place():
        sender, secrets = sources.find(source)
        # What is signed is the text that was packed; nothing of it is read before that is checked.
        body = wire.unpack(request, received)
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
        overload.take(sender.source_id, 1, now)
        found = events.read(body, message_id, Frame(received_at=now, is_trusted=True))
        outcomes = intake.take_in(
            sender=sender, found=[found], received_at=now, is_strict=wire.is_strict(request)
        )
    return intake.success(outcomes)
