"""Publishes the public keys of receipts."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from customers.consent import signing

_SECONDS = 3600


@require_safe
def keys(request: HttpRequest) -> JsonResponse:
    """Return the list of all public keys of receipts, including replaced keys."""
    answer = JsonResponse({"keys": signing.published_keys()})
    answer["Cache-Control"] = f"public, max-age={_SECONDS}"
    # Any web page may load the keys to verify a receipt.
    answer["Access-Control-Allow-Origin"] = "*"
    return answer
