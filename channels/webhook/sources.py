"""Sources that sign what they send instead of showing a key."""

from channels.ingest.http import ErrorResponse
from customers.models import Source
from customers.types import Sender


def find_signing_source(name: str) -> tuple[Sender, list[str]]:
    """Return a source and its secrets; raises ErrorResponse where it has none to check with."""
    # Postgres takes no NUL, not even to look for it.
    source = Source.objects.filter(name=name.replace("\x00", "?")).first()
    if source is None or not source.webhook_secrets:
        raise ErrorResponse(404, "unknown_source", "No source of this name signs what it sends.")
    sender = Sender(
        source_id=source.pk,
        name=source.name,
        channel=source.channel,
        is_trusted=True,
        is_shared=source.is_shared,
        default_region=source.default_region or None,
    )
    return sender, source.webhook_secrets
