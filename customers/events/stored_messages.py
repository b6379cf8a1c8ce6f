"""Finds which messages of a batch are on a log already."""

from collections.abc import Sequence

from customers import sql
from customers.events import log
from customers.types import IncomingEvent, IngestOutcome, Sender

# A message that is on a log already: the hash of its body, and its place.
type StoredMessage = tuple[str, IngestOutcome]


def may_have_public_keys(sender: Sender) -> bool:
    """Tell whether claims of this sender may have been stored as those of a public key."""
    return sender.is_secret and not sender.is_trusted


def find_stored(
    sender: Sender,
    events: Sequence[IncomingEvent],
    message_keys: Sequence[str],
) -> dict[str, StoredMessage]:
    """Find the messages that are on a log, by the key that each has in this batch.

    Before message keys told the classes of keys apart, claims of a secret key were stored
    as those of a publishable one. The same content under that key is the same message;
    other content is somebody else's and occupies nothing.
    """
    public = {
        log.message_key(sender.source_id, event.message_id, is_public=True): (key, event)
        for key, event in zip(message_keys, events, strict=True)
        if may_have_public_keys(sender)
    }
    params = {"keys": f"{{{','.join([*message_keys, *public])}}}"}
    stored: dict[str, StoredMessage] = {}
    for stored_key, body_hash, customer_id, version in sql.rows("find_stored_messages", params):
        key, event = public.get(stored_key, (stored_key, None))
        if event is None or body_hash == event.body_hash.hex():
            outcome = IngestOutcome("duplicate", customer_id, version)
            stored.setdefault(key, (body_hash, outcome))
    return stored
