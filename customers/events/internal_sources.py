"""The senders without an API key: Butler itself, and people who signed in."""

from customers.events.log import BUTLER_SOURCE_ID
from customers.models import Source
from customers.types import Sender

_ALL = frozenset({"ingest", "read", "identify"})

# The sender of Butler's own events, such as a proved address (migration 0002).
BUTLER = Sender(
    source_id=BUTLER_SOURCE_ID, name="butler", channel="butler", is_trusted=True, scopes=_ALL
)


def signed_in_sender(name: str, channel: str) -> Sender:
    """Return the sender for people who signed in through this channel."""
    source, _ = Source.objects.get_or_create(name=name, defaults={"channel": channel})
    return Sender(
        source_id=source.pk,
        name=source.name,
        channel=source.channel,
        is_trusted=True,
        default_region=source.default_region or None,
        scopes=_ALL,
    )
