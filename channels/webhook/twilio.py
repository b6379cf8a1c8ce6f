"""Requests that are signed as Twilio signs its own: forms, and JSON with its digest."""

from collections.abc import Mapping, Sequence

from django.conf import settings
from django.http import HttpRequest, QueryDict
from twilio.request_validator import (
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from channels.ingest import http, limits
from channels.ingest.http import Refusal
from channels.ingest.limits import Unfit

# Ten times what the longest SMS or call needs.
MAX_FORM = 64 * 1024
_SIGNATURE = "HTTP_X_TWILIO_SIGNATURE"
_HOW = f"HTTP_{SIGNATURE_SETTINGS_HEADER.upper().replace('-', '_')}"


def fields_of(body: bytes) -> Mapping[str, object]:
    """Read a form or a JSON object, whatever the content type says it is. Raises Refusal."""
    if len(body) > MAX_FORM:
        raise Refusal(413, "too_large", f"A form may carry {MAX_FORM} bytes.")
    if body.lstrip()[:1] == b"{":
        try:
            return limits.read_object(body)[0]
        except Unfit as unfit:
            raise Refusal(400, unfit.reason, unfit.detail) from None
    return QueryDict(body)


def signed_fields(
    request: HttpRequest, received: bytes, secrets: Sequence[str]
) -> tuple[Mapping[str, object], str]:
    """Return the fields of a signed request, and which of the secrets signed it. Raises Refusal.

    The scheme is the one that its headers and its address name. JSON is signed by its digest in
    the address and not otherwise: read as a form, it would say the same with its names and values
    cut in other places. A form is read first, because its sorted fields are what is signed.
    """
    if not request.META.get(_SIGNATURE):
        raise not_signed()
    body = http.unpack(request, received)
    if "bodySHA256" in request.GET:
        secret = _signer(request, body.decode(errors="replace"), secrets)
        return fields_of(body), secret
    if body.lstrip()[:1] == b"{":
        raise not_signed()
    fields = fields_of(body)
    return fields, _signer(request, fields, secrets)


def _signer(request: HttpRequest, signed: object, secrets: Sequence[str]) -> str:
    for address in _addresses(request):
        for secret in secrets:
            if _is_signed(secret, address, signed, request):
                return secret
    raise not_signed()


def not_signed() -> Refusal:
    """Return what a request is answered that no secret, or another account's, signed."""
    return Refusal(401, "wrong_signature", "This was not signed with a secret of the source.")


def _is_signed(secret: str, address: str, signed: object, request: HttpRequest) -> bool:
    signature = request.META.get(_SIGNATURE, "")
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
