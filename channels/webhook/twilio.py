"""Verify requests with Twilio's signature scheme: forms, and JSON with a digest in the URL."""

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

# Bytes. Ten times the size of the longest SMS or call.
MAX_FORM = 64 * 1024
_SIGNATURE_HEADER = "HTTP_X_TWILIO_SIGNATURE"
_ALGORITHM_HEADER = f"HTTP_{SIGNATURE_SETTINGS_HEADER.upper().replace('-', '_')}"


def parse_fields(body: bytes) -> Mapping[str, object]:
    """Return the fields of a form or a JSON object of any content type. Raises ErrorResponse."""
    check_form_size(body)
    if body.lstrip()[:1] == b"{":
        try:
            return limits.read_object(body)[0]
        except InvalidEvent as invalid:
            raise ErrorResponse(400, invalid.reason, invalid.detail) from None
    return QueryDict(body)


def check_form_size(body: bytes) -> None:
    """Raise an ErrorResponse with status 413 if the body is larger than a form may be."""
    if len(body) > MAX_FORM:
        raise ErrorResponse(413, "too_large", f"A form may have at most {MAX_FORM} bytes.")


def verified_fields(
    request: HttpRequest, received: bytes, secrets: Sequence[str]
) -> tuple[Mapping[str, object], str]:
    """Return the fields of a signed request, and the secret that signed it. Raises ErrorResponse.

    The headers and the URL name the signature scheme. JSON needs its digest in the URL: signed as
    a form, the same text could be split into other names and values. A form is parsed before the
    check, because the signature covers its sorted fields.
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
    """Return the error for a request that no secret, or the secret of another account, signed."""
    message = "The request is not signed with a secret of the source."
    return ErrorResponse(401, "wrong_signature", message)


def _is_valid_signature(secret: str, url: str, payload: object, request: HttpRequest) -> bool:
    signature = request.META.get(_SIGNATURE_HEADER, "")
    # This header names the algorithm of a shared key. Without it, the default algorithm holds.
    algorithm = get_signature_algorithm(request.META.get(_ALGORITHM_HEADER, ""))
    try:
        return bool(RequestValidator(secret).validate(url, payload, signature, algorithm))
    except (TypeError, ValueError, AttributeError):
        # The URL has an empty digest or is malformed.
        return False


def _possible_urls(request: HttpRequest) -> list[str]:
    """Return the URLs that the caller may have signed: the requested one, and the public one."""
    site = settings.BUTLER_SITE_URL.rstrip("/")
    return [request.build_absolute_uri(), f"{site}{request.get_full_path()}"]
