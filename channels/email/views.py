"""What comes back by e-mail: the link that ends messages, and what the provider reports."""

from collections.abc import Mapping
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from butler.actions import delivery_reports
from butler.models import Delivery
from channels.email import reports
from channels.ingest import http, load_shedding
from channels.pages import content_security
from channels.unsubscribe import Scope, end, read
from customers.actions.consent import NoSuchCustomer
from customers.models import Purpose, Topic

ONE_CLICK = "One-Click"


# A mail program has no cookies, and the token is the right to do this one thing.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@content_security.strict
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask before anything ends, and end it when posted to; looking changes nothing."""
    scope = read(token)
    if scope is None:
        return _page(request, "unknown", status=404)
    if request.method != "POST":
        return _page(request, "asked", scope)
    is_mail = request.POST.get("List-Unsubscribe") == ONE_CLICK
    try:
        left = end(scope, how="rfc8058" if is_mail else "click", now=timezone.now())
    except NoSuchCustomer:
        # Nobody is left to write to, which is what was wanted.
        left = ()
    return _page(request, "ended", scope, left=len(left))


@http.endpoint("POST", "HEAD")
def events(request: HttpRequest) -> HttpResponse:
    """Take in what the provider of mail reports of our letters."""
    if request.method == "HEAD":
        # Some providers look whether anybody is here before they take the address.
        return HttpResponse(status=200 if reports.provider() else 404)
    with load_shedding.request_slot():
        now = timezone.now()
        found = reports.read(request)
        said = [one for event in found if (one := reports.report(event, now=now))]
        delivery_reports.record(provider=reports.provider(), channel="email", reports=said, now=now)
        for event in found:
            if reports.is_unsubscribed(event):
                _unsubscribed(reports.name_of(event), now)
    return HttpResponse(status=204)


def _unsubscribed(provider_id: str, now: datetime) -> None:
    """End what the letter was about, as its own link would have."""
    by_name = Delivery.objects.filter(provider=reports.provider(), provider_id=provider_id)
    letter = by_name.exclude(provider_id="").select_related("message").first()
    if letter:
        one = letter.message
        try:
            end(Scope(one.customer_id, one.pk, one.purpose, one.topic), how="provider", now=now)
        except NoSuchCustomer:
            return


def _page(
    request: HttpRequest,
    state: str,
    scope: Scope | None = None,
    *,
    left: int = 0,
    status: int = 200,
) -> HttpResponse:
    name = _name(scope) if scope else ""
    context = {"state": state, "name": name, "left": left, "path": request.path}
    response = render(request, "email/unsubscribe.html", context, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response


def _name(scope: Scope) -> str:
    """Return what this kind of messages is called in the reader's language."""
    texts: Mapping[str, Mapping[str, str]] | None
    if scope.purpose:
        texts = Purpose.objects.filter(pk=scope.purpose).values_list("texts", flat=True).first()
    else:
        texts = Topic.objects.filter(pk=scope.topic).values_list("texts", flat=True).first()
    words = texts or {}
    found = words.get(get_language() or "en") or words.get("en") or {}
    return found.get("name", "")
