"""The customer's accounts and addresses: choose, join and refuse accounts, and change addresses.

An address that was silent for a year opens its earlier history here, by one more fact.
"""

from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods

from butler.queries.inbox import ResolvedCustomer
from channels.pages import content_security, sign_in_forms
from channels.portal.decorators import ChoiceRequired, own_record, render_page, to_sign_in
from channels.portal.forms import AccountForm, HistoryForm
from channels.portal.views import passkeys
from channels.portal.views.addresses import Reply, address_rows, change
from customers.access.accounts import read_accounts
from customers.access.address_states import read_own_addresses
from customers.actions import earlier_history, own_accounts, own_addresses
from customers.actions.address_changes import ChangesFrozen
from customers.identity.history_facts import HistoryFact
from customers.models import User

_UNAVAILABLE = gettext_noop("This account is not available any more. Choose another one.")
_ERROR_TEXTS: dict[type[Exception], str] = {
    own_accounts.NoSuchAccount: _UNAVAILABLE,
    own_accounts.OldProof: gettext_noop(
        "You signed in some time ago. Sign out, sign in with a new code, and try again."
    ),
    ChangesFrozen: gettext_noop(
        "Somebody stopped a change of your addresses. Our staff look at it first."
    ),
    earlier_history.HistoryClosed: gettext_noop("Confirm with one more detail first."),
    earlier_history.IncompleteFact: gettext_noop(
        "Enter an order with its total, a card, or your last name with your date of birth."
    ),
    earlier_history.WrongFact: gettext_noop(
        "This does not match. Check it, or use another detail."
    ),
    earlier_history.TooManyTries: gettext_noop(
        "Too many details did not match. Our staff can open your earlier orders and messages."
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@ensure_csrf_cookie
@content_security.strict
def accounts(request: HttpRequest) -> HttpResponse:
    """Show the accounts and addresses; store what the customer changes."""
    if not isinstance(request.user, User) or request.user.is_staff:
        return to_sign_in(request)
    next_page = sign_in_forms.next_page(request, ["/"])
    reply = _store(request, request.user) if request.method == "POST" else Reply()
    if reply is None:
        return redirect(next_page or "portal:home")
    if request.session.is_empty():
        # The session ended, because a code of the removed address had opened it.
        return redirect(f"{reverse('portal:sign-in')}?ended=address")
    own_accounts_page = read_accounts(request.user, request.session)
    if not own_accounts_page.choices:
        return redirect("portal:home")
    customer = _chosen_record(request)
    context = _address_context(request, request.user, customer) | {
        "accounts": own_accounts_page,
        "next": next_page,
        "reply": reply,
        "fact": request.POST if reply.error else {},
        "status": 422 if reply.error else 200,
    }
    return render_page(request, "portal/accounts.html", customer, "home", **context)


def addresses(request: HttpRequest) -> HttpResponse:
    """Lead an old link to the page. A form that was open on the old page still works."""
    return accounts(request) if request.method == "POST" else redirect("portal:accounts")


def _chosen_record(request: HttpRequest) -> ResolvedCustomer | None:
    try:
        return own_record(request)
    except ChoiceRequired:
        return None


def _address_context(
    request: HttpRequest, user: User, customer: ResolvedCustomer | None
) -> dict[str, Any]:
    """Return the addresses of the record, which change only if its history is open."""
    if customer is None or (customer.part and customer.part.has_closed_past):
        return {}
    now = timezone.now()
    own = read_own_addresses(user, request.session, now=now)
    if own is None:
        return {}
    decidable = {
        change.pk
        for change in own.changes
        if own_addresses.can_end_freeze(user, request.session, own, change, now=now)
    }
    return {
        "own": own,
        "rows": address_rows(own),
        "decidable": decidable,
        "own_passkeys": passkeys.read_own_passkeys(request, user),
    }


def _store(request: HttpRequest, user: User) -> Reply | None:
    """Store what the customer changes; return what the page shows, or None to leave the page."""
    step = request.POST.get("step", "")
    if step and step != "history":
        return change(request, user)
    try:
        if step:
            _open_history(request, user)
        else:
            _change_account(user, request.session, AccountForm(request.POST))
    except tuple(_ERROR_TEXTS) as error:
        return Reply(error=_(_ERROR_TEXTS[type(error)]))
    except earlier_history.NothingClosed:
        return Reply()
    return None


def _open_history(request: HttpRequest, user: User) -> None:
    form = HistoryForm(request.POST)
    if not form.is_valid():
        raise earlier_history.IncompleteFact
    fact = HistoryFact(**form.cleaned_data)
    earlier_history.open_by_fact(user, request.session, fact, now=timezone.now())


def _change_account(user: User, session: SessionBase, form: AccountForm) -> None:
    """Choose or refuse an account, or join all. Raises an error of customers.actions.own_accounts."""
    if not form.is_valid():
        raise own_accounts.NoSuchAccount
    answer, now = form.cleaned_data, timezone.now()
    if answer["refused"]:
        own_accounts.refuse_account(user, session, answer["refused"], now=now)
    elif answer["account"]:
        own_accounts.choose_account(user, session, answer["account"])
    else:
        own_accounts.join_accounts(user, session, now=now)
