"""Decorators and helpers for the pages of the signed-in customer."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from butler.queries.inbox import ResolvedCustomer, resolve_customer
from channels.pages import content_security, error_pages
from channels.pages.areas import area_of, staff_home_url
from channels.pages.home_view import has_contact
from customers.access.sessions import SessionOpening, read_opening
from customers.models import User

type OwnRecordView = Callable[..., HttpResponse]


def page(view: OwnRecordView) -> OwnRecordView:
    """Serve a page about the record of the signed-in customer, which the view receives."""
    return require_safe(
        never_cache(ensure_csrf_cookie(content_security.strict(_of_own_record(view))))
    )


def contact_page(view: OwnRecordView) -> OwnRecordView:
    """Serve a page about the record as a whole, such as its consents."""
    return page(_with_contact(view))


def form(view: OwnRecordView) -> OwnRecordView:
    """Accept a form of the signed-in customer, whose record the view receives."""
    return require_POST(never_cache(content_security.strict(_of_own_record(view))))


class ChoiceRequired(Exception):
    """The session opens several records, and the customer has not chosen one."""


def contact_form(view: OwnRecordView) -> OwnRecordView:
    """Accept a form about the record as a whole, such as its consents."""
    return form(_with_contact(view))


def own_opening(request: HttpRequest) -> SessionOpening | None:
    """Return what the session of the signed-in customer opens, or None if it opens nothing.

    Raises ChoiceRequired if the session opens several records.
    """
    if not isinstance(request.user, User) or request.user.record_id is None:
        return None
    opening = read_opening(request.user, request.session)
    if opening.has_choice:
        raise ChoiceRequired
    return opening if opening.chosen else None


def own_record(request: HttpRequest) -> ResolvedCustomer | None:
    """Return the record of the signed-in customer, or None if there is none.

    Raises ChoiceRequired if the session opens several records.
    """
    return opened_record(own_opening(request))


def opened_record(opening: SessionOpening | None) -> ResolvedCustomer | None:
    """Return the record that a session shows, or None if there is none."""
    opened = opening.chosen if opening else None
    if opened is None:
        return None
    return resolve_customer(opened.live_id, part=None if opened.is_whole else opened)


def render_page(
    request: HttpRequest,
    template: str,
    customer: ResolvedCustomer | None,
    section: str,
    **context: Any,
) -> HttpResponse:
    """Return a page with header and navigation; `section` is its entry in the navigation."""
    status = context.pop("status", 200)
    surroundings = {
        "customer": customer,
        "section": section,
        "live_url": settings.LIVE_URL,
        "staff_home_url": staff_home_url(),
    }
    return render(request, template, {**surroundings, **context}, status=status)


def not_found(
    request: HttpRequest, customer: ResolvedCustomer | None, section: str
) -> HttpResponse:
    """Return 404, with the same text for missing objects and for those of other customers."""
    area = area_of(request)
    return render_page(
        request,
        error_pages.TEMPLATE,
        customer,
        section,
        status=404,
        texts=error_pages.TEXTS[404],
        layout=area.layout,
        home_url=area.home_url,
    )


def _with_contact(view: OwnRecordView) -> OwnRecordView:
    """Ask the customer to confirm the mailbox of the record, if the session does not open it."""

    @wraps(view)
    def wrapper(
        request: HttpRequest, customer: ResolvedCustomer, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if not has_contact(customer):
            return render_page(request, "portal/confirm_first.html", customer, "", status=403)
        return view(request, customer, *args, **kwargs)

    return wrapper


def _of_own_record(view: OwnRecordView) -> OwnRecordView:
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return to_sign_in(request)
        try:
            customer = own_record(request)
        except ChoiceRequired:
            return _to_page(request, "portal:accounts")
        if customer is None:
            return render_page(request, "portal/home.html", None, "home")
        return view(request, customer, *args, **kwargs)

    return wrapper


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Redirect to the sign-in, which then shows this page."""
    return _to_page(request, "portal:sign-in")


def _to_page(request: HttpRequest, name: str) -> HttpResponse:
    # Only a page can be opened again afterwards, not a submitted form.
    next_page = request.get_full_path() if request.method in ("GET", "HEAD") else ""
    query = f"?{urlencode({'next': next_page})}" if next_page else ""
    return redirect(f"{resolve_url(name)}{query}")
