"""Requests that are signed as Twilio signs its own: forms, and JSON with its digest."""

from collections.abc import Mapping, Sequence

from django.conf import settings
from django.http import HttpRequest, QueryDict
from twilio.request_validator import (
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

from channels.ingest import bodies, limits
from channels.ingest.http import ErrorResponse
from channels.ingest.limits import InvalidEvent

# Ten times what the longest SMS or call needs.
MAX_FORM = 64 * 1024
_SIGNATURE_HEADER = "HTTP_X_TWILIO_SIGNATURE"
_ALGORITHM_HEADER = f"HTTP_{SIGNATURE_SETTINGS_HEADER.upper().replace('-', '_')}"


def parse_fields(body: bytes) -> Mapping[str, object]:
    """Read a form or a JSON object, whatever the content type says it is. Raises ErrorResponse."""
    if len(body) > MAX_FORM:
        raise ErrorResponse(413, "too_large", f"A form may carry {MAX_FORM} bytes.")
    if body.lstrip()[:1] == b"{":
        try:
            return limits.read_object(body)[0]
        except InvalidEvent as invalid:
            raise ErrorResponse(400, invalid.reason, invalid.detail) from None
    return QueryDict(body)


def verified_fields(
    request: HttpRequest, received: bytes, secrets: Sequence[str]
) -> tuple[Mapping[str, object], str]:
    """Return the fields of a signed request, and which of the secrets signed it. Raises ErrorResponse.

    The scheme is the one that its headers and its address name. JSON is signed by its digest in
    the address and not otherwise: read as a form, it would say the same with its names and values
    cut in other places. A form is read first, because its sorted fields are what is signed.
    """
    if not request.META.get(_SIGNATURE_HEADER):
        raise invalid_signature()
    body = bodies.decompress(request, received)
    if "bodySHA256" in request.GET:
        secret = _signing_secret(request, body.decode(errors="replace"), secrets)
        return parse_fields(body), secret
    if body.lstrip()[:1] == b"{":
        raise invalid_signature()
    fields = parse_fields(body)
    return fields, _signing_secret(request, fields, secrets)


def _signing_secret(request: HttpRequest, payload: object, secrets: Sequence[str]) -> str:
    for url in _possible_urls(request):
        for secret in secrets:
            if _is_valid_signature(secret, url, payload, request):
                return secret
    raise invalid_signature()


def invalid_signature() -> ErrorResponse:
    """Return what a request is answered that no secret, or another account's, signed."""
    return ErrorResponse(401, "wrong_signature", "This was not signed with a secret of the source.")


def _is_valid_signature(secret: str, url: str, payload: object, request: HttpRequest) -> bool:
    signature = request.META.get(_SIGNATURE_HEADER, "")
    # Requests signed with a shared key say so, and how; without it they are as they ever were.
    algorithm = get_signature_algorithm(request.META.get(_ALGORITHM_HEADER, ""))
    try:
        return bool(RequestValidator(secret).validate(url, payload, signature, algorithm))
    except (TypeError, ValueError, AttributeError):
        # An address with an empty digest, or with what no address has in it.
        return False


def _possible_urls(request: HttpRequest) -> list[str]:
    """Return the addresses that may have been called: as it came, and as the site is known."""
    site = settings.BUTLER_SITE_URL.rstrip("/")
    return [request.build_absolute_uri(), f"{site}{request.get_full_path()}"]
