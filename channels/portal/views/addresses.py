"""The forms of the customer's addresses and passkeys, and the page that stops a change by a link."""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from butler.actions import address_proposals
from channels.pages import content_security
from channels.pages.confirmation import is_confirmed
from channels.portal.forms import AddressesForm
from channels.portal.sign_in import ERROR_TEXTS
from channels.portal.views import passkeys
from customers.access.address_states import OwnAddress, OwnAddresses
from customers.access.sessions import save_or_end
from customers.actions import address_changes, address_notices, code_messages, own_addresses
from customers.api.addresses import PROBLEMS
from customers.api.problems import Problem
from customers.api.sign_in import address_of, send_address_code
from customers.models import AddressChange, User

_ERROR_TEXTS = ERROR_TEXTS | {
    "last-address": gettext_noop("Add another address before you remove the last one."),
    "mailbox-required": gettext_noop(
        "Add an e-mail address first. Then you can add more phone numbers."
    ),
    "changes-frozen": gettext_noop(
        "Somebody stopped a change of your addresses. Our staff look at it first."
    ),
    "history-closed": gettext_noop("Confirm with one more detail first."),
    "unavailable": gettext_noop("This is not possible any more. Look at the list again."),
}


class AddressRow(NamedTuple):
    """An address on the page, and the buttons that it has."""

    address: OwnAddress
    can_prefer: bool
    can_prove: bool
    can_remove: bool
    can_lift: bool
    # One of several addresses of its kind that are in use gets the messages.
    shows_preferred: bool

    @property
    def has_buttons(self) -> bool:
        """True if the form of the address has a button."""
        return self.can_prefer or self.can_prove or self.can_lift


class Reply(NamedTuple):
    """The answer to a form, for the page that follows: a code to enter, or an error."""

    notice: str = ""
    error: str = ""
    email: str = ""
    handle: str = ""
    join_id: int = 0


def address_rows(own: OwnAddresses) -> list[AddressRow]:
    """Return the addresses for the page: mailboxes in use first, and of them the preferred one."""
    kinds = Counter(address.kind for address in own.addresses if address.is_current)
    return [
        _row(own, address, has_others=kinds[address.kind] > 1)
        for address in sorted(own.addresses, key=_position)
    ]


# Exempt from CSRF: a mail program has no cookies, and the signed token authorizes this action. A POST
# needs the value that this page signed: a mail scanner that sends a POST to each link stops nothing.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@content_security.strict
def freeze(request: HttpRequest, token: str) -> HttpResponse:
    """Ask on GET, and stop a change of addresses on POST with a ticked box. No login is needed."""
    link = address_notices.read_token(token)
    change = link and AddressChange.objects.filter(pk=link.change_id).first()
    if link is None or change is None:
        return _freeze_page(request, "unknown", status=404)
    is_answer = request.method == "POST" and address_notices.is_page_of(
        token, request.POST.get("page", "")
    )
    is_unconfirmed = is_answer and _state_of(change) == "asked" and not is_confirmed(request)
    if is_answer and not is_unconfirmed:
        stopped = address_changes.freeze(link.change_id, link.address_id, now=timezone.now())
        if stopped and stopped.state == AddressChange.State.FROZEN:
            address_proposals.ask_about_freeze(stopped, now=timezone.now())
        return _freeze_page(request, _state_of(stopped) if stopped else "unknown", change=stopped)
    return _freeze_page(
        request,
        _state_of(change),
        change=change,
        page=address_notices.sign_page(token),
        is_unconfirmed=is_unconfirmed,
        status=422 if is_unconfirmed else 200,
    )


def _state_of(change: AddressChange) -> str:
    """Return the state of a change for the page of its link."""
    if change.state != AddressChange.State.PENDING:
        return change.state
    # A passkey ended the freeze: no link stops the change again.
    return "released" if change.released_at else "asked"


def _freeze_page(
    request: HttpRequest,
    state: str,
    *,
    change: AddressChange | None = None,
    page: str = "",
    is_unconfirmed: bool = False,
    status: int = 200,
) -> HttpResponse:
    context = {
        "state": state,
        "change": change,
        "path": request.path,
        "page": page,
        "is_unconfirmed": is_unconfirmed,
    }
    response = render(request, "portal/address_freeze.html", context, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response


def _position(address: OwnAddress) -> tuple[bool, bool, bool, str]:
    """Return the key for sorting: mailboxes in use first, and of them the preferred one."""
    is_phone = address.kind != "email"
    return not address.is_current, is_phone, not address.is_preferred, address.value


def _row(own: OwnAddresses, address: OwnAddress, *, has_others: bool) -> AddressRow:
    is_mailbox = address.id in own.proved_mailboxes
    is_last = (is_mailbox and len(own.proved_mailboxes) == 1) or own.holder_ids == (address.id,)
    is_provable = address.kind == "email" or code_messages.sends_texts()
    return AddressRow(
        address=address,
        can_prefer=address.id in own.proved and not address.is_preferred,
        can_prove=is_provable and address.state != "removed",
        can_remove=address.state != "removed" and not is_last,
        can_lift=is_mailbox and any(cause.reason == "complained" for cause in address.suppressions),
        shows_preferred=has_others and address.is_preferred,
    )


def change(request: HttpRequest, user: User) -> Reply:
    """Store what the customer changes, and return what the page shows next."""
    form = AddressesForm(request.POST)
    if not form.is_valid():
        return Reply(error=_(_ERROR_TEXTS["not-an-address"]))
    answer = form.cleaned_data
    try:
        return _steps()[answer["step"]](request, user, answer)
    except passkeys.NotChanged as error:
        return Reply(error=str(error))
    except Problem as problem:
        return _failed(problem, answer)
    except tuple(PROBLEMS) as error:
        return _failed(PROBLEMS[type(error)](error), answer)


def _failed(error: Exception, answer: dict[str, Any]) -> Reply:
    kind = error.kind if isinstance(error, Problem) else "unavailable"
    text = _(_ERROR_TEXTS.get(kind, _ERROR_TEXTS["unavailable"]))
    is_code = answer["step"] == "code"
    return Reply(error=text, email=answer["email"], handle=answer["handle"] if is_code else "")


def _steps() -> dict[str, Callable[..., Reply]]:
    return {
        "add": _ask_code,
        "prove": _ask_code,
        "code": _confirm,
        "join": _join,
        "prefer": _prefer,
        "remove": _remove,
        "lift": _lift,
        "cancel": _cancel,
        "release": _release,
        "add-passkey": _passkey_step(passkeys.add),
        "rename-passkey": _passkey_step(passkeys.rename),
        "remove-passkey": _passkey_step(passkeys.remove),
    }


def _passkey_step(change: Callable[..., str]) -> Callable[..., Reply]:
    return lambda request, user, answer: Reply(notice=change(request, user, answer))


def _ask_code(request: HttpRequest, user: User, answer: dict[str, Any]) -> Reply:
    issued = send_address_code(request, *address_of(answer["email"]))
    replaced_id = answer["address"] if answer["step"] == "add" else None
    own_addresses.note_code(request.session, issued.handle, replaced_id or 0)
    return Reply(email=issued.address, handle=issued.handle)


def _confirm(request: HttpRequest, user: User, answer: dict[str, Any]) -> Reply:
    confirmed = own_addresses.confirm(
        user,
        request.session,
        handle=answer["handle"],
        code=answer["code"],
        language=get_language() or "en",
        now=timezone.now(),
    )
    save_or_end(request.session)
    return _confirmed(confirmed)


def _join(request: HttpRequest, user: User, answer: dict[str, Any]) -> Reply:
    confirmed = own_addresses.join(
        user,
        request.session,
        answer["address"] or 0,
        language=get_language() or "en",
        now=timezone.now(),
    )
    save_or_end(request.session)
    return _confirmed(confirmed)


def _confirmed(confirmed: own_addresses.Confirmed) -> Reply:
    if confirmed.is_join_possible:
        return Reply(join_id=confirmed.address_id)
    if confirmed.change:
        return Reply(notice=_("The address is confirmed. The change waits for three days."))
    return Reply(notice=_("The address is confirmed."))


def _remove(request: HttpRequest, user: User, answer: dict[str, Any]) -> Reply:
    change = own_addresses.remove(
        user,
        request.session,
        answer["address"] or 0,
        language=get_language() or "en",
        now=timezone.now(),
    )
    save_or_end(request.session)
    if change:
        return Reply(notice=_("The address goes in three days. All your addresses get a notice."))
    return Reply(notice=_("The address is removed."))


def _prefer(request: HttpRequest, user: User, answer: dict[str, Any]) -> Reply:
    own_addresses.prefer(user, request.session, answer["address"] or 0, now=timezone.now())
    return Reply(notice=_("We write to this address from now on."))


def _lift(request: HttpRequest, user: User, answer: dict[str, Any]) -> Reply:
    own_addresses.lift(user, request.session, answer["address"] or 0, now=timezone.now())
    return Reply(notice=_("We write to this address from now on."))


def _cancel(request: HttpRequest, user: User, answer: dict[str, Any]) -> Reply:
    own_addresses.cancel(user, request.session, answer["address"] or 0, now=timezone.now())
    return Reply(notice=_("The change is cancelled."))


def _release(request: HttpRequest, user: User, answer: dict[str, Any]) -> Reply:
    own_addresses.release(user, request.session, answer["address"] or 0, now=timezone.now())
    return Reply(notice=_("The change goes on. It takes effect as planned."))
