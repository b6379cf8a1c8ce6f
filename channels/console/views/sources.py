"""The page of the sources: with whom they share numbers, and what is wrong with their events."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from channels.console.presenters.sources import source_rows
from channels.console.views import access
from customers.queries.sources import LIMIT, WARNING_DAYS, source_summaries


@require_safe
@access.page("customers.view_source")
def list_sources(request: HttpRequest) -> HttpResponse:
    """List the sources with their settings and warnings."""
    summaries = source_summaries(timezone.localdate())
    context = {
        "sources": source_rows(summaries),
        "days": WARNING_DAYS,
        "limit": LIMIT,
        "section": "sources",
    }
    return render(request, "console/sources.html", context)
