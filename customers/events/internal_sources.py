"""The senders without an API key: Butler itself, people who signed in, and sources that sign."""

from collections.abc import Iterable

from customers.models import Source
from customers.types import BUTLER_SOURCE_ID, Sender, owns_its_space

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


def sender_of_source(
    source: Source,
    *,
    is_trusted: bool,
    is_secret: bool = False,
    scopes: Iterable[str] = ("ingest",),
) -> Sender:
    """Return the sender of a source that was authenticated without a key, as with these rights."""
    space = source.space
    return Sender(
        source_id=source.pk,
        name=source.name,
        channel=source.channel,
        is_trusted=is_trusted,
        is_shared=source.is_shared,
        default_region=source.default_region or None,
        scopes=frozenset(scopes),
        is_secret=is_secret,
        space_id=space.pk,
        space=space.name,
        has_several_ids=space.has_several_ids,
        addresses=source.addresses,
        has_yearly_orders=source.order_numbers == Source.OrderNumbers.YEARLY,
        is_owner=owns_its_space(
            channel=source.channel, is_shared=source.is_shared, is_trusted=is_trusted
        ),
    )
