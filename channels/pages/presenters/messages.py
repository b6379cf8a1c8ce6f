"""A message as its customer sees it: how it came, and what became of it. No database."""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from butler.messages.email_layout import unwrap
from butler.queries.inbox import INBOX, MessageShape
from channels.pages.presenters import events

# What became of it, in words that promise no more than we know.
STATES = {
    "sending": gettext_noop("on its way"),
    "accepted": gettext_noop("sent"),
    "delivered": gettext_noop("arrived"),
    "withdrawn": gettext_noop("taken back"),
    "rejected": gettext_noop("refused on the way, it did not arrive"),
    "failed": gettext_noop("could not be sent"),
    "bounced": gettext_noop("did not arrive: the address does not take it"),
    "complained": gettext_noop("you told your mail program that it is unwanted"),
    "uncertain": gettext_noop("we do not know whether it arrived"),
}
ICONS = {"inbox": "bell", "email": "mail", "sms": "text", "phone": "phone"}
# An address of our own; a path that begins with two slashes, or one and its mirror image, is
# another host to a browser.
_OWN = r"{}(/(?![/\\])[^\s<>\"]*)"
_SENTENCE = re.compile(r"[.!?](?=\s|$)")
_LONGEST_TITLE = 70
_WELL = frozenset({"accepted", "delivered", "sending"})


class Piece(NamedTuple):
    """Some text, and where it leads if it is a link of our own."""

    text: str
    address: str = ""


class Fate(NamedTuple):
    """A way that a message went, and what became of it there."""

    way: str
    state: str
    is_well: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """One message, worded."""

    id: UUID
    title: str
    paragraphs: Sequence[Sequence[Piece]]
    icon: str
    way: str
    state: str
    is_well: bool
    # The other ways that the same words went.
    also: Sequence[Fate]
    is_unread: bool
    # Where the words are known: those that were taken back are not.
    language: str
    at: datetime
    read_at: datetime | None


def letter(message: MessageShape, *, site: str = "") -> Letter:
    """Word a message; links within `site` can be followed, others stay text."""
    is_gone = message.state == "withdrawn"
    body = _body(message)
    title = message.subject or _opening(body)
    own = _fate(message.channel, message.state)
    return Letter(
        id=message.id,
        title=_("A message that we took back") if is_gone else title or _("A message"),
        paragraphs=[pieces(part, site) for part in re.split(r"\n\s*\n", body)],
        icon=ICONS.get(message.channel, "butler"),
        way=own.way,
        state=own.state,
        is_well=own.is_well,
        also=[_fate(one.channel, one.state) for one in message.also],
        is_unread=message.is_unread,
        language=message.language if title and not is_gone else "",
        at=message.handed_over_at or message.created_at,
        read_at=message.read_at,
    )


def _fate(channel: str, state: str) -> Fate:
    return Fate(events.say(events.WAYS, channel), became(channel, state), state in _WELL)


def _body(message: MessageShape) -> str:
    """Leave out what a mail ends with, for who is not on this page, and how it was wrapped."""
    text = message.text.partition("\n-- \n")[0].strip()
    return unwrap(text) if message.channel == "email" else text


def _opening(text: str) -> str:
    """Return the first sentence: what a text message, which has no subject, is called."""
    first = _SENTENCE.split(text, maxsplit=1)[0]
    return textwrap.shorten(first, _LONGEST_TITLE, placeholder="…")


def became(channel: str, state: str) -> str:
    """Say what became of a message; what was put into the inbox is there."""
    is_here = channel == INBOX and state == "accepted"
    return events.say(STATES, "delivered" if is_here else state)


def pieces(text: str, site: str) -> Sequence[Piece]:
    """Cut text at addresses of our own site: what a customer or a source wrote is no link."""
    if not site:
        return [Piece(text)]
    found: list[Piece] = []
    end = 0
    for match in re.finditer(_OWN.format(re.escape(site.rstrip("/"))), text):
        found.append(Piece(text[end : match.start()]))
        address = match[1].rstrip(".,;:!?)")
        found.append(Piece(match[0][: len(match[0]) - len(match[1]) + len(address)], address))
        end = match.start() + len(found[-1].text)
    return [one for one in (*found, Piece(text[end:])) if one.text]
