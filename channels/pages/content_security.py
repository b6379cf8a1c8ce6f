"""What the portal's pages may load: their own files, and nothing from anywhere else."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override

type View = Callable[..., HttpResponse]


def strict(view: View) -> View:
    """Serve a page under the strictest policy that it works with: no inline, no eval."""

    @wraps(view)
    def served(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Settings are read when a page is served, not whenever this was first imported.
        return csp_override(_allowed())(view)(request, *args, **kwargs)

    return served


def _allowed() -> dict[str, list[str]]:
    return {
        "default-src": [CSP.NONE],
        "script-src": [CSP.SELF],
        "style-src": [CSP.SELF],
        "img-src": [CSP.SELF],
        "connect-src": [CSP.SELF, *filter(None, [settings.LIVE_URL])],
        "form-action": [CSP.SELF],
        "base-uri": [CSP.NONE],
        "frame-ancestors": [CSP.NONE],
    }
