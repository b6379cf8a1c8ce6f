"""Requests that are signed as Twilio signs its own: forms, and JSON with its digest."""

from collections.abc import Mapping, Sequence

from django.conf import settings
from django.http import HttpRequest, QueryDict
from twilio.request_validator import RequestValidator

from channels.ingest import limits
from channels.ingest.limits import Unfit
from channels.ingest.wire import Refusal


def fields_of(body: bytes) -> Mapping[str, object]:
    """Read a form or a JSON object, whatever the content type says it is. Raises Refusal."""
    if body.lstrip()[:1] == b"{":
        try:
            return limits.read_object(body)[0]
        except Unfit as unfit:
            raise Refusal(400, unfit.reason, unfit.detail) from None
    return QueryDict(body)


def check(
    request: HttpRequest, body: bytes, fields: Mapping[str, object], secrets: Sequence[str]
) -> None:
    """Check the signature in either scheme. Raises Refusal where no secret made it."""
    signature = request.META.get("HTTP_X_TWILIO_SIGNATURE", "")
    is_json = "bodySHA256" in request.GET
    signed: object = body.decode(errors="replace") if is_json else fields
    for address in _addresses(request):
        for secret in secrets:
            if _is_signed(secret, address, signed, signature):
                return
    raise Refusal(401, "wrong_signature", "This was not signed with the token of the source.")


def _is_signed(secret: str, address: str, signed: object, signature: str) -> bool:
    try:
        return bool(RequestValidator(secret).validate(address, signed, signature))
    except (TypeError, ValueError, AttributeError):
        # It joins names and values as they are; JSON has other values than text.
        return False


def _addresses(request: HttpRequest) -> list[str]:
    """Return the addresses that may have been called: as it came, and as the site is known."""
    site = settings.BUTLER_SITE_URL.rstrip("/")
    return [request.build_absolute_uri(), f"{site}{request.get_full_path()}"]
