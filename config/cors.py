"""Lets pages of listed origins call the REST API, with a session token instead of a cookie."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

PREFIX = "/api/"
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
# Without Authorization, because a page must not have the key of a source.
ALLOW_HEADERS = (
    "content-type, x-session-token, x-identity-token, idempotency-key, if-match, if-none-match"
)
EXPOSE_HEADERS = (
    "ETag, Location, Content-Location, Content-Disposition, Retry-After, RateLimit, "
    "RateLimit-Policy, Idempotent-Replayed, X-Request-ID"
)
# Seconds for which a browser stores the answer to a preflight.
MAX_AGE = 7200


class ApiCorsMiddleware:
    """Answer preflights of listed origins below /api/, and let their pages read the responses.

    Other origins get the same responses as without CORS, so their browsers refuse them. No
    response has Access-Control-Allow-Credentials: the cookies of Butler's own pages do not count
    on other pages.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        origin = request.headers.get("Origin", "")
        is_allowed = origin in settings.BUTLER_API_ORIGINS
        if is_allowed and _is_preflight(request):
            response = _preflight_response()
        else:
            response = self.get_response(request)
        patch_vary_headers(response, ["Origin"])
        if is_allowed:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = EXPOSE_HEADERS
        return response


def _is_preflight(request: HttpRequest) -> bool:
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def _preflight_response() -> HttpResponse:
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = METHODS
    response["Access-Control-Allow-Headers"] = ALLOW_HEADERS
    response["Access-Control-Max-Age"] = str(MAX_AGE)
    return response
