"""Adds and ends the secrets with which a source signs its webhooks."""

import base64
import secrets

from django.db import transaction

from customers.models import Source

# The new secret and the one that it replaces. Butler removes older secrets.
MAX_SECRETS = 2
PREFIX = "whsec_"


def new_secret() -> str:
    """Return a new secret of 32 random bytes, in the format of Standard Webhooks."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


@transaction.atomic
def add_webhook_secret(*, source_id: int, secret: str) -> None:
    """Accept this secret from now on. Of the older secrets, only the newest stays valid."""
    source = Source.objects.select_for_update().get(pk=source_id)
    older = [older_secret for older_secret in source.webhook_secrets if older_secret != secret]
    source.webhook_secrets = [secret, *older][:MAX_SECRETS]
    source.save(update_fields=["webhook_secrets"])


@transaction.atomic
def end_older_webhook_secrets(*, source_id: int) -> int:
    """Accept only the newest secret from now on; return the number of removed secrets."""
    source = Source.objects.select_for_update().get(pk=source_id)
    ended = len(source.webhook_secrets[1:])
    source.webhook_secrets = source.webhook_secrets[:1]
    source.save(update_fields=["webhook_secrets"])
    return ended
