"""Sources that sign their requests instead of sending a key."""

from channels.ingest.http import ErrorResponse
from customers.models import Source
from customers.types import Sender


def find_signing_source(name: str) -> tuple[Sender, list[str]]:
    """Return a source and its webhook secrets. Raises ErrorResponse if it has none."""
    # Postgres fails on a NUL in a parameter.
    source = Source.objects.filter(name=name.replace("\x00", "?")).first()
    if source is None or not source.webhook_secrets:
        raise ErrorResponse(404, "unknown_source", "No source of this name has a webhook secret.")
    sender = Sender(
        source_id=source.pk,
        name=source.name,
        channel=source.channel,
        is_trusted=True,
        is_shared=source.is_shared,
        default_region=source.default_region or None,
    )
    return sender, source.webhook_secrets
