"""`/v1/sms/`: what the provider of SMS calls: a message came in, one went further."""

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from twilio.twiml.messaging_response import MessagingResponse

from butler.actions import delivery_reports
from channels.ingest import http, load_shedding
from channels.ingest.http import ErrorResponse
from channels.sms import inbound as messages
from channels.sms import keywords, statuses
from channels.webhook import twilio


@http.endpoint("POST")
def inbound(request: HttpRequest) -> HttpResponse:
    """Take in what a customer sent, and answer with TwiML."""
    received = http.read_body(request)
    with load_shedding.request_slot():
        fields = _signed(request, received)
        text = messages.read(fields)
        if not text.sid or not text.number or not text.is_named:
            raise ErrorResponse(400, "missing_id", "Send MessageSid and From.")
        is_open = messages.take_in(text, now=timezone.now())
        answer = MessagingResponse()
        # A provider that understood the word itself has answered it, and sends nothing more.
        if text.meant and not fields.get("OptOutType"):
            answer.message(_answer(text, is_open))
    return HttpResponse(str(answer), content_type="text/xml")


@http.endpoint("POST")
def status(request: HttpRequest) -> HttpResponse:
    """Take in what became of a message; `?message=` is how we call it."""
    received = http.read_body(request)
    with load_shedding.request_slot():
        now = timezone.now()
        found = statuses.read(_signed(request, received), request.GET.get("message", ""), now=now)
        if found:
            delivery_reports.record(provider="twilio", channel="sms", reports=[found], now=now)
    return HttpResponse(status=204)


def _signed(request: HttpRequest, received: bytes) -> Mapping[str, object]:
    """Return the fields that the account which they name signed. Raises ErrorResponse."""
    account, other = settings.SMS_ACCOUNT, settings.SMS_FALLBACK
    if account is None:
        raise ErrorResponse(404, "no_sms", "No provider of SMS is set up.")
    secrets = _secrets(account) + (_secrets(other) if other else [])
    fields, secret = twilio.verified_fields(request, received, secrets)
    if other and fields.get("AccountSid") == other["sid"]:
        account = other
    if secret not in _secrets(account):
        raise twilio.invalid_signature()
    return fields


def _secrets(account: Mapping[str, str]) -> list[str]:
    return [account[name] for name in ("token", "shared_key") if account.get(name)]


def _answer(text: messages.Text, is_open: bool) -> str:
    return keywords.answer(
        text.meant,
        language=messages.language_for(text, settings.LANGUAGE_CODE),
        company=settings.BUTLER_COMPANY,
        site=f"{settings.BUTLER_SITE_URL.rstrip('/')}/preferences/",
        is_open=is_open,
    )
