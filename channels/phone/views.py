"""`/v1/phone/`: a telephone system says that it rings, and learns who it may be."""

from collections.abc import Mapping, Sequence

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import VoiceResponse

from channels.ingest import intake, limits, overload, segment, wire
from channels.ingest.limits import Unfit
from channels.ingest.wire import Refusal
from channels.phone import calls
from channels.phone.calls import Call
from channels.webhook import sources
from customers import lookup
from customers.lookup import Match
from customers.profile import Outcome, Sender


@wire.endpoint("POST")
def call(request: HttpRequest) -> HttpResponse:
    """Take in newCall, answer or hangup, and answer with whom the number belongs to."""
    body = wire.read_body(request)
    with overload.place():
        sender = wire.find_secret_sender(request)
        try:
            step = calls.read(_fields(body))
        except Unfit as unfit:
            raise Refusal(400, unfit.reason, unfit.detail) from None
        # Looked up first: afterwards the call itself has made a record for the number.
        found = _matches(sender, step.number)
        outcome = _record(sender, step)
    answer = {
        "success": True,
        "status": outcome.status,
        "customer": outcome.customer_id,
        "matches": ("none", "one", "many")[min(len(found), 2)],
        "customers": [match._asdict() for match in found],
    }
    return intake.count(wire.json_response(answer), [outcome])


@wire.endpoint("POST")
def twilio(request: HttpRequest, source: str) -> HttpResponse:
    """Take in a voice webhook or status callback of Twilio's, and answer with TwiML.

    `?dial=+31…` in the address, which is signed too, connects the caller to that number.
    """
    body = wire.read_body(request)
    with overload.place():
        sender, secrets = sources.find(source)
        fields = _fields(body)
        _check_twilio(request, body, fields, secrets)
        try:
            _record(sender, calls.read_twilio(fields))
        except Unfit as unfit:
            raise Refusal(400, unfit.reason, unfit.detail) from None
    answer = VoiceResponse()
    if number := request.GET.get("dial"):
        answer.dial(number)
    return HttpResponse(str(answer), content_type="text/xml")


def _record(sender: Sender, step: Call) -> Outcome:
    now = timezone.now()
    overload.take(sender.source_id, 1, now)
    frame = segment.Frame(received_at=now, is_trusted=sender.is_trusted)
    found = segment.keep(step.event, frame)
    return intake.take_in(sender=sender, found=[found], received_at=now)[0]


def _matches(sender: Sender, number: str) -> Sequence[Match]:
    if not number or "read" not in sender.scopes:
        return []
    return lookup.matches("phone", number, region=sender.default_region)


def _fields(body: bytes) -> Mapping[str, object]:
    """Read a form or a JSON object, whatever the content type says it is."""
    if body.lstrip()[:1] == b"{":
        try:
            return limits.read_object(body)[0]
        except Unfit as unfit:
            raise Refusal(400, unfit.reason, unfit.detail) from None
    return QueryDict(body)


def _check_twilio(
    request: HttpRequest, body: bytes, fields: Mapping[str, object], secrets: Sequence[str]
) -> None:
    """Check the signature in either scheme: over the form's fields, or over JSON's digest."""
    signature = request.META.get("HTTP_X_TWILIO_SIGNATURE", "")
    address = request.build_absolute_uri()
    is_json = "bodySHA256" in request.GET
    signed: object = body.decode(errors="replace") if is_json else fields
    for secret in secrets:
        if RequestValidator(secret).validate(address, signed, signature):
            return
    raise Refusal(401, "wrong_signature", "This was not signed with the token of the source.")
