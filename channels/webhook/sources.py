"""Sources that sign what they send instead of showing a key."""

from channels.ingest.http import Refusal
from customers.models import Source
from customers.types import Sender


def find(name: str) -> tuple[Sender, list[str]]:
    """Return a source and its secrets; raises Refusal where it has none to check with."""
    # Postgres takes no NUL, not even to look for it.
    found = Source.objects.filter(name=name.replace("\x00", "?")).first()
    if found is None or not found.webhook_secrets:
        raise Refusal(404, "unknown_source", "No source of this name signs what it sends.")
    sender = Sender(
        source_id=found.pk,
        name=found.name,
        channel=found.channel,
        is_trusted=True,
        is_shared=found.is_shared,
        default_region=found.default_region or None,
    )
    return sender, found.webhook_secrets
