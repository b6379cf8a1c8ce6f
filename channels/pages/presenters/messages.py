"""Messages for the customer's page: title, text, channel and delivery state. No database."""

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
from channels.pages.presenters.labels import MESSAGE_CHANNELS, translated

# Labels of delivery states. A label states only facts that Butler knows.
DELIVERY_STATES = {
    "sending": gettext_noop("on its way"),
    "accepted": gettext_noop("sent"),
    "delivered": gettext_noop("arrived"),
    "withdrawn": gettext_noop("withdrawn"),
    "rejected": gettext_noop("rejected, it did not arrive"),
    "failed": gettext_noop("could not be sent"),
    "bounced": gettext_noop("did not arrive: the address does not accept it"),
    "complained": gettext_noop("you marked it as unwanted in your mail program"),
    "uncertain": gettext_noop("we do not know whether it arrived"),
}
ICONS = {"inbox": "bell", "email": "mail", "sms": "text", "phone": "phone"}
# A URL of our site. Browsers read a path that begins with // or /\ as another host.
_OWN = r"{}(/(?![/\\])[^\s<>\"]*)"
_SENTENCE = re.compile(r"[.!?](?=\s|$)")
_TITLE_LENGTH = 70
_STATES_WITHOUT_PROBLEM = frozenset({"accepted", "delivered", "sending"})


class TextPart(NamedTuple):
    """A part of a text; `address` is the path of its link within our site, or empty."""

    text: str
    address: str = ""


class ChannelDelivery(NamedTuple):
    """A channel that a message was sent on, and its delivery state there."""

    channel: str
    state: str
    is_ok: bool


@dataclass(frozen=True, slots=True)
class MessageCard:
    """One message on the customer's page."""

    id: UUID
    title: str
    paragraphs: Sequence[Sequence[TextPart]]
    icon: str
    channel: str
    state: str
    is_ok: bool
    # The other channels on which the same message was sent.
    other_deliveries: Sequence[ChannelDelivery]
    is_unread: bool
    # The language of the text; empty if the message was withdrawn or has no text.
    language: str
    at: datetime
    read_at: datetime | None


def message_card(message: MessageShape, *, site: str = "") -> MessageCard:
    """Return the card of a message; only URLs below `site` become links."""
    is_withdrawn = message.state == "withdrawn"
    body = _body(message)
    title = message.subject or _first_sentence(body)
    own = _channel_delivery(message.channel, message.state)
    return MessageCard(
        id=message.id,
        title=_("A withdrawn message") if is_withdrawn else title or _("A message"),
        paragraphs=[split_links(paragraph, site) for paragraph in re.split(r"\n\s*\n", body)],
        icon=ICONS.get(message.channel, "butler"),
        channel=own.channel,
        state=own.state,
        is_ok=own.is_ok,
        other_deliveries=[
            _channel_delivery(delivery.channel, delivery.state) for delivery in message.also
        ],
        is_unread=message.is_unread,
        language=message.language if title and not is_withdrawn else "",
        at=message.handed_over_at or message.created_at,
        read_at=message.read_at,
    )


def _channel_delivery(channel: str, state: str) -> ChannelDelivery:
    return ChannelDelivery(
        translated(MESSAGE_CHANNELS, channel),
        delivery_state(channel, state),
        state in _STATES_WITHOUT_PROBLEM,
    )


def _body(message: MessageShape) -> str:
    """Return the text without the footer and the line breaks of an e-mail."""
    text = message.text.partition("\n-- \n")[0].strip()
    return unwrap(text) if message.channel == "email" else text


def _first_sentence(text: str) -> str:
    """Return the first sentence, the title of a message without a subject."""
    first = _SENTENCE.split(text, maxsplit=1)[0]
    return textwrap.shorten(first, _TITLE_LENGTH, placeholder="…")


def delivery_state(channel: str, state: str) -> str:
    """Return the label of a delivery state; a message that the inbox accepted is delivered."""
    is_here = channel == INBOX and state == "accepted"
    return translated(DELIVERY_STATES, "delivered" if is_here else state)


def split_links(text: str, site: str) -> Sequence[TextPart]:
    """Split a text at links to our site; other URLs stay text."""
    if not site:
        return [TextPart(text)]
    parts: list[TextPart] = []
    end = 0
    for match in re.finditer(_OWN.format(re.escape(site.rstrip("/"))), text):
        parts.append(TextPart(text[end : match.start()]))
        address = match[1].rstrip(".,;:!?)")
        parts.append(TextPart(match[0][: len(match[0]) - len(match[1]) + len(address)], address))
        end = match.start() + len(parts[-1].text)
    return [part for part in (*parts, TextPart(text[end:])) if part.text]
