"""The home page of a customer, as a session that proved one of her logins shows it. Read only."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from butler.queries.inbox import resolve_customer
from channels.console.presenters.identity import kind_name
from channels.console.views import access, audit
from channels.console.views.live_records import customer_name, find_live_id
from channels.pages.home_view import HomeView, has_contact, read_home_view
from customers.access.customer_views import (
    CustomerView,
    provable_identifiers,
    read_customer_view,
)
from customers.identity.families import is_number
from customers.models import Identifier, Source

# The view shows all that the customer sees, so it needs the rights to all parts of it.
_RIGHTS = (
    "customers.view_identifier",
    "customers.view_event",
    "customers.view_order",
    "customers.view_interaction",
    "customers.view_partymember",
    "customers.view_consentstate",
    "butler.view_message",
)


@require_safe
@access.page("customers.view_customer")
def show(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Show the logins of a record, and what a session of the chosen one would show."""
    if not request.user.has_perms(_RIGHTS):
        return render(request, "console/forbidden.html", status=403)
    record_id = find_live_id(customer_id)
    logins = provable_identifiers(record_id)
    names = _names(logins)
    login = _chosen_login(logins, request.GET.get("login", ""))
    context: dict[str, Any] = {
        "customer": {"id": record_id, "name": customer_name(record_id)},
        "logins": list(names.items()),
        "login": login and (login.pk, names[login.pk]),
        "section": "search",
    }
    if login:
        context |= _view_context(request, record_id, login)
    else:
        _log(request, record_id, "list of logins")
    return render(request, "console/as_customer.html", context)


def _chosen_login(logins: list[Identifier], text: str) -> Identifier | None:
    """Return the login with this id; the only one without an id. Raises Http404 for another id."""
    if not text:
        return logins[0] if len(logins) == 1 else None
    login = next((row for row in logins if str(row.pk) == text), None)
    if login is None:
        raise Http404
    return login


def _view_context(request: HttpRequest, record_id: UUID, login: Identifier) -> dict[str, Any]:
    account = request.GET.get("account", "")
    chosen_id = int(account) if account.isascii() and account.isdigit() else None
    view = read_customer_view(login, chosen_id=chosen_id)
    part = view.chosen
    shown = resolve_customer(part.live_id, part=None if part.is_whole else part) if part else None
    home = read_home_view(shown, timezone.now()) if shown else None
    by = f"by {kind_name(login.kind).lower()}"
    _log(request, record_id, f"{by}: {_shown(view, home)}")
    if part and part.live_id != record_id:
        # The customer may choose an account on another record.
        _log(request, part.live_id, f"{by}: {_shown(view, home)}")
    return {
        "view": view,
        "home": home,
        "is_confirmed": shown is None or has_contact(shown),
        "closed_mailboxes": part.closed_mailboxes if part else (),
    }


def _shown(view: CustomerView, home: HomeView | None) -> str:
    """Return in a few words what the view shows, for the access log. It names no address."""
    if home is None or home.page is None:
        return "a choice of accounts" if view.accounts.choices else "nothing"
    page = home.page
    orders = len(page.other_orders) + (page.next_order is not None)
    counts = {
        "orders": orders,
        "events": len(page.timeline),
        "messages": len(home.cards),
        "addresses and numbers": len(page.identifiers),
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing"


def _log(request: HttpRequest, record_id: UUID, reason: str) -> None:
    audit.log_console_access(request, [record_id], part="customer view", reason=reason)


def _names(logins: list[Identifier]) -> dict[int, str]:
    """Return the names of the logins by their ids. A number has the name of its source."""
    numbers = {row.pk: row.value.partition("/") for row in logins if is_number(row.kind)}
    source_ids = {int(source_id) for source_id, _, _ in numbers.values()}
    sources = dict(Source.objects.filter(pk__in=source_ids).values_list("pk", "name"))
    names = {row.pk: f"{kind_name(row.kind)} {row.value}" for row in logins}
    for row in logins:
        if row.pk in numbers:
            source_id, _, number = numbers[row.pk]
            source = sources.get(int(source_id), "an earlier source")
            names[row.pk] = f"{kind_name(row.kind)} {number} of {source}"
    return names
