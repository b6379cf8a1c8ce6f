"""The unsubscribe page, the page of the link "Not mine", and the webhook of the mail provider."""

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
from butler.actions import not_mine as not_mine_links
from butler.messages import refusal_links
from butler.models import Delivery
from channels.email import provider_events
from channels.ingest import http, load_shedding
from channels.pages import content_security
from channels.pages.areas import area_of
from channels.pages.confirmation import is_confirmed
from channels.unsubscribe import UnsubscribeScope, end_messages, read_token
from customers.actions.internal_events import NoSuchCustomer
from customers.models import Purpose, Topic

ONE_CLICK = "One-Click"


# Exempt from CSRF: mail programs have no cookies, and the signed token authorizes this action.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@content_security.strict
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show a confirmation page on GET, and unsubscribe on POST."""
    scope = read_token(token)
    if scope is None:
        return _page(request, "unknown", status=404)
    if request.method != "POST":
        return _page(request, "asked", scope)
    is_mail = request.POST.get("List-Unsubscribe") == ONE_CLICK
    try:
        already_sent = end_messages(
            scope, evidence_kind="rfc8058" if is_mail else "click", now=timezone.now()
        )
    except NoSuchCustomer:
        # The customer no longer exists, so Butler sends no more messages anyway.
        already_sent = ()
    return _page(request, "ended", scope, sent_count=len(already_sent))


# Exempt from CSRF, like the page above. A POST needs the value that this page signed, and a ticked box:
# a mail scanner that sends a POST to each link, or presses the buttons of each page, changes nothing.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@content_security.strict
def not_mine(request: HttpRequest, token: str) -> HttpResponse:
    """Ask on GET, and take the address of the message off its record on POST."""
    now = timezone.now()
    state: not_mine_links.LinkState = (
        "asked" if not_mine_links.find_message(token, now=now) else "unknown"
    )
    is_answer = request.method == "POST" and refusal_links.is_page_of(
        token, request.POST.get("page", "")
    )
    is_unconfirmed = state == "asked" and is_answer and not is_confirmed(request)
    if is_answer and not is_unconfirmed:
        state = not_mine_links.refuse_address(token, now=now)
    context = {
        "layout": area_of(request).layout,
        "state": state,
        "path": request.path,
        "page": refusal_links.sign_page(token) if state == "asked" else "",
        "is_unconfirmed": is_unconfirmed,
    }
    status = 404 if state == "unknown" else 422 if is_unconfirmed else 200
    response = render(request, "email/not_mine.html", context, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response


@http.endpoint("POST", "HEAD")
def provider_reports(request: HttpRequest) -> HttpResponse:
    """Store the delivery reports that the mail provider sends."""
    if request.method == "HEAD":
        # Some providers check the URL with HEAD before they accept it.
        return HttpResponse(status=200 if provider_events.reporting_provider() else 404)
    with load_shedding.request_slot():
        now = timezone.now()
        events = provider_events.read_events(request)
        reports = [
            report
            for event in events
            if (report := provider_events.delivery_report(event, now=now))
        ]
        delivery_reports.store_reports(
            provider=provider_events.reporting_provider(), channel="email", reports=reports, now=now
        )
        for event in events:
            if provider_events.is_unsubscribe(event):
                _unsubscribe_by_provider_id(provider_events.provider_id_of(event), now)
    return HttpResponse(status=204)


def _unsubscribe_by_provider_id(provider_id: str, now: datetime) -> None:
    """Unsubscribe the recipient of a message, as the link in the message would."""
    deliveries = Delivery.objects.filter(
        provider=provider_events.reporting_provider(), provider_id=provider_id
    )
    delivery = deliveries.exclude(provider_id="").select_related("message").first()
    if delivery:
        message = delivery.message
        try:
            end_messages(
                UnsubscribeScope(message.customer_id, message.pk, message.purpose, message.topic),
                evidence_kind="provider",
                now=now,
            )
        except NoSuchCustomer:
            return


def _page(
    request: HttpRequest,
    state: str,
    scope: UnsubscribeScope | None = None,
    *,
    sent_count: int = 0,
    status: int = 200,
) -> HttpResponse:
    name = _display_name(scope) if scope else ""
    area = area_of(request)
    context = {
        "layout": area.layout,
        "preferences_url": area.preferences_url,
        "state": state,
        "name": name,
        "sent_count": sent_count,
        "path": request.path,
    }
    response = render(request, "email/unsubscribe.html", context, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response


def _display_name(scope: UnsubscribeScope) -> str:
    """Return the name of the purpose or topic in the reader's language."""
    texts: Mapping[str, Mapping[str, str]] | None
    if scope.purpose:
        texts = Purpose.objects.filter(pk=scope.purpose).values_list("texts", flat=True).first()
    else:
        texts = Topic.objects.filter(pk=scope.topic).values_list("texts", flat=True).first()
    translations = texts or {}
    translation = translations.get(get_language() or "en") or translations.get("en") or {}
    return translation.get("name", "")
