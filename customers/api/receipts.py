"""The public keys of our receipts, for everybody."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from customers.consent import signing

_SECONDS = 3600


@require_safe
def keys(request: HttpRequest) -> JsonResponse:
    """List every key that a receipt was ever signed with."""
    answer = JsonResponse({"keys": signing.published_keys()})
    answer["Cache-Control"] = f"public, max-age={_SECONDS}"
    # Whoever verifies a receipt may do so from any page.
    answer["Access-Control-Allow-Origin"] = "*"
    return answer
