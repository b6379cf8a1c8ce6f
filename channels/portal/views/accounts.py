"""The customer chooses one of several accounts of a mailbox."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods

from channels.pages import content_security


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@ensure_csrf_cookie
@content_security.strict
def choose(request: HttpRequest) -> HttpResponse:
    """Show the accounts that the session opens, and store the choice."""
    return redirect("portal:home")
