"""The outbox of developers: a file with the messages of channels that have no provider.

All processes append to one file in BUTLER_HOME, one line of JSON a message.
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
from django.utils import timezone

MAX_MESSAGES = 1000
# Bytes. When the file grows larger, it is cut to the newest MAX_MESSAGES lines.
_MAX_FILE_SIZE = 4 * 1024 * 1024


class OutboxMessage(msgspec.Struct, frozen=True):
    """One message in the outbox."""

    channel: str
    to: str
    subject: str
    text: str
    html: str
    sent_at: datetime


class OutboxBackend(BaseEmailBackend):
    """Put mail into the outbox instead of sending it."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Append one entry for each recipient to the outbox; return the number of mails."""
        sent_at = timezone.now()  # noqa: TID251  # sending mail is an edge
        outbox_messages = [
            OutboxMessage(
                "email",
                to,
                str(message.subject),
                _plain_string(message.body),
                _html_body(message),
                sent_at,
            )
            for message in email_messages
            for to in message.recipients()
        ]
        append_messages(outbox_messages)
        return len(email_messages)


def _plain_string(text: object) -> str:
    # Templates return a SafeString. str() does not change its type, and msgspec refuses it.
    return str.__str__(str(text))


def _html_body(message: EmailMessage) -> str:
    if isinstance(message, EmailMultiAlternatives):
        for content, kind in message.alternatives:
            if kind == "text/html":
                return str(content)
    return ""


def append_messages(messages: Sequence[OutboxMessage]) -> None:
    """Append messages to the file, under a lock that all processes share."""
    lines = b"".join(msgspec.json.encode(message) + b"\n" for message in messages)
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b", opener=_open_private) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(lines)
        file.flush()
        if file.tell() > _MAX_FILE_SIZE:
            _truncate_to_newest(path)


def read_messages() -> list[OutboxMessage]:
    """Return the messages, newest first."""
    try:
        lines = _path().read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [
        msgspec.json.decode(line, type=OutboxMessage) for line in reversed(lines[-MAX_MESSAGES:])
    ]


def _path() -> Path:
    return Path(settings.BUTLER_HOME) / "outbox.jsonl"


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _truncate_to_newest(path: Path) -> None:
    """Keep the newest MAX_MESSAGES lines. The caller holds the lock.

    The function rewrites the file in place, because other writers open and lock the same file.
    """
    lines = path.read_bytes().splitlines(keepends=True)[-MAX_MESSAGES:]
    with path.open("r+b") as file:
        file.write(b"".join(lines))
        file.truncate()
