"""Sends codes by mail and by SMS. No code, mailbox or number is logged."""

import logging
import smtplib
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.module_loading import import_string
from django.utils.translation import gettext_noop

from customers.actions.sign_in_codes import IssuedCode
from customers.identity.code_numbers import NoCodeNumber

_log = logging.getLogger(__name__)


class TextOutcome(StrEnum):
    """The answer of the provider of SMS to one text."""

    # The provider has the text, or it is unknown whether it has.
    SENT = "sent"
    # The number cannot receive SMS.
    REFUSED = "refused"
    # No provider takes texts now.
    FAILED = "failed"


# A function that sends a text to a number at once (BUTLER_TEXT_SENDER).
type TextSender = Callable[[str, str], TextOutcome]


class MessageNotSent(Exception):
    """The mail server or the provider of SMS does not take messages now."""


class CodeTexts(NamedTuple):
    """The texts of a message with a code."""

    subject: str
    template: str
    sms: str


SIGN_IN = CodeTexts(
    gettext_noop("%(code)s is your code to sign in"),
    "customers/sign_in_code.txt",
    gettext_noop("%(code)s is your code to sign in to %(company)s. Do not give it to anybody."),
)
CONFIRM = CodeTexts(
    gettext_noop("%(code)s is your code to confirm this address"),
    "customers/address_code.txt",
    gettext_noop(
        "%(code)s is your code to confirm this number for %(company)s. Do not give it to anybody."
    ),
)


def sends_texts() -> bool:
    """Tell whether Butler has a provider of SMS."""
    return bool(settings.BUTLER_TEXT_SENDER)


def send(issued: IssuedCode, texts: CodeTexts) -> None:
    """Send a code to its address, in the language of the request.

    Raises MessageNotSent, or NoCodeNumber for a number that cannot receive SMS.
    """
    if issued.kind == "phone":
        _send_text(issued, texts)
    else:
        _send_mail(issued, texts)


def _send_mail(issued: IssuedCode, texts: CodeTexts) -> None:
    minutes = settings.BUTLER_CODE_SECONDS // 60
    text = render_to_string(texts.template, {"code": issued.code, "minutes": minutes})
    subject = translation.gettext(texts.subject) % {"code": issued.code}
    try:
        send_mail(subject, text, None, [issued.address])
    except (smtplib.SMTPException, OSError):
        _log.exception("the mail server did not accept a code")
        raise MessageNotSent from None


def _send_text(issued: IssuedCode, texts: CodeTexts) -> None:
    outcome = _text_sender()(issued.address, code_text(issued.code, texts))
    if outcome is TextOutcome.REFUSED:
        raise NoCodeNumber
    if outcome is TextOutcome.FAILED:
        _log.error("no provider of SMS accepted a code")
        raise MessageNotSent


def send_text(number: str, text: str) -> None:
    """Send a text without a code, such as a notice. Raises MessageNotSent.

    Without a provider, or to a number that cannot receive SMS, it sends nothing.
    """
    if sends_texts() and _text_sender()(number, text) is TextOutcome.FAILED:
        raise MessageNotSent


def _text_sender() -> TextSender:
    sender: TextSender = import_string(settings.BUTLER_TEXT_SENDER)
    return sender


def code_text(code: str, texts: CodeTexts) -> str:
    """Return the text of an SMS. The phone fills the code in on pages of the host of its last line.

    The line has the form of https://wicg.github.io/sms-one-time-codes/. The host is that of the site,
    not that of the request: otherwise, a foreign page could get the code.
    """
    words = {"code": code, "company": settings.BUTLER_COMPANY}
    host = urlsplit(settings.BUTLER_SITE_URL).hostname or ""
    return f"{translation.gettext(texts.sms) % words}\n\n@{host} #{code}"
