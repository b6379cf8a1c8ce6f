"""The content security policy of the admin, which allows more than the policy of other pages."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.csp import CSP

# The admin theme uses Alpine, which evaluates attributes, and writes styles inline.
ADMIN_SOURCES = {
    "script-src": [CSP.SELF, CSP.UNSAFE_EVAL, CSP.UNSAFE_INLINE],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
}


class AdminCspMiddleware:
    """Loosen the content security policy for the pages below /admin/ only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info.startswith("/admin/"):
            # Django's CSP decorators use the same attribute to pass a policy to the middleware.
            response._csp_config = settings.SECURE_CSP | ADMIN_SOURCES  # type: ignore[attr-defined]
        return response
