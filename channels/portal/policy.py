"""What the portal's pages may load: their own files, and nothing from anywhere else."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpResponse
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override

type View = Callable[..., HttpResponse]


def strict(view: View) -> View:
    """Serve a page under the strictest policy that it works with: no inline, no eval."""
    allowed = csp_override(
        {
            "default-src": [CSP.NONE],
            "script-src": [CSP.SELF],
            "style-src": [CSP.SELF],
            "img-src": [CSP.SELF],
            "connect-src": [CSP.SELF, *filter(None, [settings.LIVE_URL])],
            "form-action": [CSP.SELF],
            "base-uri": [CSP.NONE],
            "frame-ancestors": [CSP.NONE],
        }
    )
    return allowed(view)
