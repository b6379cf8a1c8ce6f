"""Sources that sign their requests instead of sending a key."""

from channels.ingest.http import ErrorResponse
from customers.events.internal_sources import sender_of_source
from customers.models import Source
from customers.types import Sender


def find_signing_source(name: str) -> tuple[Sender, list[str]]:
    """Return a source and its webhook secrets. Raises ErrorResponse if it has none."""
    # Postgres fails on a NUL in a parameter.
    source = Source.objects.select_related("space").filter(name=name.replace("\x00", "?")).first()
    if source is None or not source.webhook_secrets:
        raise ErrorResponse(404, "unknown_source", "No source of this name has a webhook secret.")
    return sender_of_source(source, is_trusted=True), source.webhook_secrets
