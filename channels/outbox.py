"""Where messages land while there is no provider: a file that a developer reads in a browser.

One line of JSON each, in BUTLER_HOME, shared by every process; at most the newest thousand
are shown. Only with DEBUG: in production it would be a heap of other people's mail.
"""

import fcntl
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache

SHOWN = 1000
# Twice as long as it may get, it is cut back to what is shown.
_LONGEST = 4 * 1024 * 1024


class Entry(msgspec.Struct, frozen=True):
    """One message that would have gone out."""

    channel: str
    to: str
    subject: str
    text: str
    html: str
    sent_at: datetime


class Backend(BaseEmailBackend):
    """Put mail into the outbox instead of sending it."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        moment = timezone.now()  # noqa: TID251  # sending mail is an edge
        entries = [
            Entry("email", to, str(message.subject), _plain(message.body), _html(message), moment)
            for message in email_messages
            for to in message.recipients()
        ]
        add(entries)
        return len(email_messages)


def _plain(text: object) -> str:
    # What a template rendered is a SafeString, which str() returns as it is and msgspec refuses.
    return str.__str__(str(text))


def _html(message: EmailMessage) -> str:
    if isinstance(message, EmailMultiAlternatives):
        for content, kind in message.alternatives:
            if kind == "text/html":
                return str(content)
    return ""


def add(entries: Sequence[Entry]) -> None:
    """Append messages, whichever process they come from."""
    lines = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b", opener=_for_us_alone) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(lines)
        file.flush()
        if file.tell() > _LONGEST:
            _cut_back(path)


def entries() -> list[Entry]:
    """Return the messages, newest first."""
    try:
        lines = _path().read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [msgspec.json.decode(line, type=Entry) for line in reversed(lines[-SHOWN:])]


def _path() -> Path:
    return Path(settings.BUTLER_HOME) / "outbox.jsonl"


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _cut_back(path: Path) -> None:
    """Keep the newest half; the caller holds the lock, and writers open it by name."""
    lines = path.read_bytes().splitlines(keepends=True)[-SHOWN:]
    with path.open("r+b") as file:
        file.write(b"".join(lines))
        file.truncate()


@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """Show what would have gone out."""
    _only_in_development()
    return render(request, "email/outbox.html", {"entries": entries()})


@never_cache
def document(request: HttpRequest) -> HttpResponse:
    """Tell programs what would have gone out."""
    _only_in_development()
    return HttpResponse(msgspec.json.encode(entries()), content_type="application/json")


def _only_in_development() -> None:
    if not settings.DEBUG:
        raise Http404
