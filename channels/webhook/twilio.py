"""Requests that are signed as Twilio signs its own: forms, and JSON with its digest."""

from collections.abc import Mapping, Sequence

from django.conf import settings
from django.http import HttpRequest, QueryDict
from twilio.request_validator import (
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from channels.ingest import limits
from channels.ingest.limits import Unfit
from channels.ingest.wire import Refusal

_HOW = f"HTTP_{SIGNATURE_SETTINGS_HEADER.upper().replace('-', '_')}"


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
    """Check the signature in whichever scheme its headers name. Raises Refusal where none fits.

    JSON is signed by its digest in the address and not otherwise: read as a form, it would say
    the same with its names and values cut in other places.
    """
    is_json = "bodySHA256" in request.GET
    if is_json or isinstance(fields, QueryDict):
        signed: object = body.decode(errors="replace") if is_json else fields
        for address in _addresses(request):
            for secret in secrets:
                if _is_signed(secret, address, signed, request):
                    return
    raise Refusal(401, "wrong_signature", "This was not signed with a secret of the source.")


def _is_signed(secret: str, address: str, signed: object, request: HttpRequest) -> bool:
    signature = request.META.get("HTTP_X_TWILIO_SIGNATURE", "")
    # Requests signed with a shared key say so, and how; without it they are as they ever were.
    algorithm = get_signature_algorithm(request.META.get(_HOW, ""))
    try:
        return bool(RequestValidator(secret).validate(address, signed, signature, algorithm))
    except (TypeError, ValueError, AttributeError):
        # An address with an empty digest, or with what no address has in it.
        return False


def _addresses(request: HttpRequest) -> list[str]:
    """Return the addresses that may have been called: as it came, and as the site is known."""
    site = settings.BUTLER_SITE_URL.rstrip("/")
    return [request.build_absolute_uri(), f"{site}{request.get_full_path()}"]
