"""The page of the developers' outbox, with the newest thousand messages.

The page exists only with DEBUG, because messages contain personal data.
"""

import msgspec
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from channels import dev_outbox


@never_cache
def outbox_page(request: HttpRequest) -> HttpResponse:
    """Show the messages of the outbox as a page."""
    _require_debug()
    return render(request, "email/outbox.html", {"entries": dev_outbox.read_messages()})


@never_cache
def outbox_json(request: HttpRequest) -> HttpResponse:
    """Return the messages of the outbox as JSON."""
    _require_debug()
    return HttpResponse(
        msgspec.json.encode(dev_outbox.read_messages()), content_type="application/json"
    )


def _require_debug() -> None:
    if not settings.DEBUG:
        raise Http404
