"""The `/v1/sms/` webhooks of the SMS provider: incoming SMS, and delivery statuses."""

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from twilio.twiml.messaging_response import MessagingResponse

from butler.actions import delivery_reports
from channels.ingest import bodies, http, load_shedding
from channels.ingest.http import ErrorResponse
from channels.sms import inbound as messages
from channels.sms import keywords, statuses
from channels.webhook import twilio


@http.endpoint("POST")
def inbound(request: HttpRequest) -> HttpResponse:
    """Handle an SMS of a customer, and answer with TwiML."""
    received = bodies.read_body(request)
    with load_shedding.request_slot():
        fields = _verified_fields(request, received)
        sms = messages.parse_sms(fields)
        if not sms.sid or not sms.number or not sms.has_valid_id:
            raise ErrorResponse(400, "missing_id", "Send MessageSid and From.")
        allows_sms = messages.handle_sms(sms, now=timezone.now())
        response = MessagingResponse()
        # A provider that recognized the keyword has already replied, so send no second reply.
        if sms.keyword and not fields.get("OptOutType"):
            response.message(_reply_text(sms, allows_sms))
    return HttpResponse(str(response), content_type="text/xml")


@http.endpoint("POST")
def status(request: HttpRequest) -> HttpResponse:
    """Store the delivery status of a message; `?message=` is our id of it."""
    received = bodies.read_body(request)
    with load_shedding.request_slot():
        now = timezone.now()
        report = statuses.parse_report(
            _verified_fields(request, received), request.GET.get("message", ""), now=now
        )
        if report:
            delivery_reports.store_reports(
                provider="twilio", channel="sms", reports=[report], now=now
            )
    return HttpResponse(status=204)


def _verified_fields(request: HttpRequest, received: bytes) -> Mapping[str, object]:
    """Return the fields if the account that they name signed them. Raises ErrorResponse."""
    account, fallback = settings.SMS_ACCOUNT, settings.SMS_FALLBACK
    if account is None:
        raise ErrorResponse(404, "no_sms", "No SMS provider is configured.")
    secrets = _account_secrets(account) + (_account_secrets(fallback) if fallback else [])
    fields, secret = twilio.verified_fields(request, received, secrets)
    if fallback and fields.get("AccountSid") == fallback["sid"]:
        account = fallback
    if secret not in _account_secrets(account):
        raise twilio.invalid_signature()
    return fields


def _account_secrets(account: Mapping[str, str]) -> list[str]:
    return [account[name] for name in ("token", "shared_key") if account.get(name)]


def _reply_text(sms: messages.InboundSms, allows_sms: bool) -> str:
    return keywords.reply_text(
        sms.keyword,
        language=messages.language_for(sms, settings.LANGUAGE_CODE),
        company=settings.BUTLER_COMPANY,
        site=f"{settings.BUTLER_SITE_URL.rstrip('/')}/preferences/",
        allows_sms=allows_sms,
    )
