"""Mails about changes of addresses, with a link that stops a change.

The link needs no login. A reader can do no more with it than stop this change.
"""

import logging
import smtplib
from collections.abc import Iterable
from typing import NamedTuple

from django.conf import settings
from django.core import signing
from django.core.mail import send_mail
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils import translation

from customers.access import link_pages
from customers.actions import code_messages
from customers.models import AddressChange, Evidence, Identifier
from customers.types import OPENED

_log = logging.getLogger(__name__)

SALT = "butler.address_change"
_PAGE_SALT = "butler.address_change.page"
_MAX_TOKEN_LENGTH = 200


class FreezeLink(NamedTuple):
    """The change that a link stops, and the address that got the link."""

    change_id: int
    address_id: int


def proved_mailboxes(holder_ids: Iterable[int]) -> QuerySet[Identifier]:
    """Return the proved mailboxes on the records of accounts, or of mailboxes."""
    records = Identifier.objects.filter(pk__in=list(holder_ids)).values("customer")
    mailboxes = Identifier.objects.filter(
        kind="email", evidence=Evidence.VERIFIED, customer__in=records, erasure=None
    )
    return mailboxes.filter(Q(proved_at__isnull=False) | Q(best_evidence__gte=OPENED))


def send_change_notices(change: AddressChange) -> list[int]:
    """Tell the proved mailboxes of a record and the changed addresses that a change waits.

    Returns the ids of the addresses that got a notice.
    """
    mailboxes = {mailbox.pk: mailbox for mailbox in proved_mailboxes(change.holder_ids)}
    for address in (change.added, change.removed):
        if address and address.kind == "email":
            mailboxes[address.pk] = address
    context = {"added": _text(change.added), "removed": _text(change.removed)}
    with translation.override(change.language):
        subject = translation.gettext("Your address changes in three days")
        for mailbox in mailboxes.values():
            url = freeze_url(FreezeLink(change.pk, mailbox.pk))
            text = render_to_string("customers/address_change.txt", {**context, "url": url})
            send_mail(subject, text, None, [mailbox.value])
        for phone in (change.added, change.removed):
            if phone and phone.kind == "phone":
                code_messages.send_text(phone.value, _notice_text(change, phone))
                mailboxes[phone.pk] = phone
    return sorted(mailboxes)


def _notice_text(change: AddressChange, phone: Identifier) -> str:
    """Return the notice to a phone that is added or removed."""
    words = {
        "company": settings.BUTLER_COMPANY,
        "url": freeze_url(FreezeLink(change.pk, phone.pk)),
    }
    text = translation.gettext(
        "A number of your account at %(company)s changes in three days. Not you? Stop it: %(url)s"
    )
    return text % words


def send_change_done(mailboxes: Iterable[str], *, added: str, removed: str) -> None:
    """Tell addresses that another one was added or removed, in the language of the request.

    The change is stored, so a mail server that does not answer changes nothing.
    """
    subject = translation.gettext("Your addresses changed")
    context = {"added": added, "removed": removed}
    for mailbox in mailboxes:
        _try_to_send(subject, render_to_string("customers/address_changed.txt", context), mailbox)


def send_released(change: AddressChange) -> None:
    """Tell the proved addresses of a record that a passkey ended a freeze, as `send_change_done`."""
    with translation.override(change.language):
        subject = translation.gettext("The change of your addresses goes on")
        context = {"added": _text(change.added), "removed": _text(change.removed)}
        text = render_to_string("customers/address_released.txt", context)
        for mailbox in proved_mailboxes(change.holder_ids):
            _try_to_send(subject, text, mailbox.value)


def _try_to_send(subject: str, text: str, mailbox: str) -> None:
    try:
        send_mail(subject, text, None, [mailbox])
    except (smtplib.SMTPException, OSError):
        _log.exception("the mail server did not accept a notice about an address")


def freeze_url(link: FreezeLink) -> str:
    """Return the link for one change and one address."""
    token = _signer().sign(f"{link.change_id}-{link.address_id}")
    return f"{settings.BUTLER_SITE_URL.rstrip('/')}/addresses/freeze/{token}/"


def read_token(token: str) -> FreezeLink | None:
    """Return what a link stops; None if its signature is invalid."""
    if len(token) > _MAX_TOKEN_LENGTH:
        return None
    try:
        change_id, _, address_id = _signer().unsign(token).partition("-")
        return FreezeLink(int(change_id), int(address_id))
    except (signing.BadSignature, ValueError):
        return None


def sign_page(token: str) -> str:
    """Return the value that the form on the page of a link sends back."""
    return link_pages.sign_page(token, salt=_PAGE_SALT)


def is_page_of(token: str, page: str) -> bool:
    """Tell whether a form came from the page of this link, within a day."""
    return link_pages.is_page_of(token, page, salt=_PAGE_SALT)


def _text(address: Identifier | None) -> str:
    return address.value if address else ""


def _signer() -> signing.Signer:
    return signing.Signer(salt=SALT)
