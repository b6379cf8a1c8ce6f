"""Finds the messages of a batch that are already on a log."""

from collections.abc import Sequence

from customers import sql
from customers.events import log
from customers.types import IncomingEvent, IngestOutcome, Sender

# A message that is already on a log: the hash of its body in hex, and its place on the log.
type StoredMessage = tuple[str, IngestOutcome]


def may_have_public_keys(sender: Sender) -> bool:
    """Tell whether old claims of this sender may have message keys of a publishable key."""
    return sender.is_secret and not sender.is_trusted


def find_stored(
    sender: Sender,
    events: Sequence[IncomingEvent],
    message_keys: Sequence[str],
) -> dict[str, StoredMessage]:
    """Return the messages of this batch that are on a log, by their message keys in this batch.

    Older versions stored claims of a secret key with the message key of a publishable key. If a
    stored message with that key has the same content, it is the same message. If the content
    differs, another sender stored it, and this function ignores it.
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
