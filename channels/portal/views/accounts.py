"""The customer chooses one of several accounts of a mailbox."""

from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods

from channels.pages import content_security, sign_in_forms
from channels.portal.decorators import to_sign_in
from channels.portal.forms import AccountForm
from customers.access.accounts import read_accounts
from customers.actions import own_accounts
from customers.models import User


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@ensure_csrf_cookie
@content_security.strict
def choose(request: HttpRequest) -> HttpResponse:
    """Show the accounts that the session opens; store a choice, a join or a refusal."""
    if not isinstance(request.user, User):
        return to_sign_in(request)
    next_page = sign_in_forms.next_page(request, ["/"])
    is_old_proof = False
    if request.method == "POST":
        form = AccountForm(request.POST)
        try:
            if form.is_valid() and _apply(request.user, request.session, form.cleaned_data):
                return redirect(next_page or "portal:home")
        except own_accounts.OldProof:
            is_old_proof = True
    accounts = read_accounts(request.user, request.session)
    if not accounts.choices:
        return redirect("portal:home")
    context = {
        "accounts": accounts,
        "is_open": any(choice.is_chosen for choice in accounts.choices),
        "next": next_page,
        "has_error": request.method == "POST",
        "is_old_proof": is_old_proof,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "portal/accounts.html", context, status=status)


def _apply(user: User, session: SessionBase, answer: dict[str, Any]) -> bool:
    """Store the answer of the customer; return False if an account is not available any more.

    Raises OldProof.
    """
    now = timezone.now()
    try:
        if answer["refused"]:
            own_accounts.refuse_account(user, session, answer["refused"], now=now)
        elif answer["account"]:
            own_accounts.choose_account(user, session, answer["account"])
        else:
            own_accounts.join_accounts(user, session, now=now)
    except own_accounts.NoSuchAccount:
        return False
    return True
