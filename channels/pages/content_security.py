"""The content security policy of our pages, which allows only files of this site."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override

type View = Callable[..., HttpResponse]


def strict(view: View) -> View:
    """Serve a page under a policy without inline scripts and without eval."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Read the settings for each response, not when this module is imported.
        return csp_override(_policy())(view)(request, *args, **kwargs)

    return wrapper


def _policy() -> dict[str, list[str]]:
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
