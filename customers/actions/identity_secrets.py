"""Adds and ends the secrets with which a source signs identity tokens."""

import secrets

from django.db import transaction

from customers.models import Source

# The new secret and the one that it replaces. Butler removes older secrets.
MAX_SECRETS = 2
PREFIX = "idsec_"


@transaction.atomic
def add_identity_secret(*, source_id: int) -> str:
    """Return a new secret of 32 random bytes. Of the older ones, only the newest stays valid."""
    secret = PREFIX + secrets.token_urlsafe(32)
    source = Source.objects.select_for_update().get(pk=source_id)
    source.identity_secrets = [secret, *source.identity_secrets][:MAX_SECRETS]
    source.save(update_fields=["identity_secrets"])
    return secret


@transaction.atomic
def end_identity_secrets(*, source_id: int, newest_too: bool = False) -> int:
    """End all secrets except the newest, or all; return the number of removed secrets."""
    source = Source.objects.select_for_update().get(pk=source_id)
    remaining = [] if newest_too else source.identity_secrets[:1]
    ended = len(source.identity_secrets) - len(remaining)
    source.identity_secrets = remaining
    source.save(update_fields=["identity_secrets"])
    return ended
