"""Messages to the address of a login about its passkeys, in the language of the request."""

import logging
import smtplib
from typing import NamedTuple

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_noop

from customers.actions.code_messages import MessageNotSent, send_text
from customers.models import Passkey

_log = logging.getLogger(__name__)


class _Notice(NamedTuple):
    """The name of an event for the template of the mail, the subject of the mail, and the SMS."""

    event: str
    subject: str
    sms: str


_ADDED = _Notice(
    "added",
    gettext_noop("A passkey was added"),
    gettext_noop("A passkey was added to your sign-in at %(company)s. Not you? Remove it: %(url)s"),
)
_REMOVED = _Notice(
    "removed",
    gettext_noop("A passkey was removed"),
    gettext_noop("A passkey was removed from your sign-in at %(company)s. See: %(url)s"),
)
_REFUSED = _Notice(
    "refused",
    gettext_noop("We refused a passkey"),
    gettext_noop("%(company)s refused a copy of your passkey. Remove the passkey: %(url)s"),
)


def send_added(passkey: Passkey) -> None:
    """Tell the address that a passkey was added. Raises MessageNotSent."""
    _send(passkey, _ADDED)


def send_removed(passkey: Passkey) -> None:
    """Tell the address that a passkey was removed, if messages can be sent now."""
    _try_to_send(passkey, _REMOVED)


def send_copy_refused(passkey: Passkey) -> None:
    """Tell the address that a copy of a passkey was refused, if messages can be sent now."""
    _try_to_send(passkey, _REFUSED)


def _try_to_send(passkey: Passkey, notice: _Notice) -> None:
    try:
        _send(passkey, notice)
    except MessageNotSent:
        _log.error("a notice about a passkey was not sent")


def _send(passkey: Passkey, notice: _Notice) -> None:
    kind, address = passkey.user.address
    url = f"{settings.BUTLER_SITE_URL.rstrip('/')}/accounts/"
    if kind == "phone":
        words = {"company": settings.BUTLER_COMPANY, "url": url}
        send_text(address, translation.gettext(notice.sms) % words)
        return
    context = {"event": notice.event, "name": passkey.name, "url": url}
    text = render_to_string("customers/passkey_notice.txt", context)
    try:
        send_mail(translation.gettext(notice.subject), text, None, [address])
    except (smtplib.SMTPException, OSError):
        _log.exception("the mail server did not accept a notice about a passkey")
        raise MessageNotSent from None
