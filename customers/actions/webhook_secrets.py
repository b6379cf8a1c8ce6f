"""Secrets by which a source signs webhooks: added and ended, never shown again."""

import base64
import secrets

from django.db import transaction

from customers.models import Source

# The new one and the one it replaces: forgotten older ones would still be accepted.
MAX_SECRETS = 2
PREFIX = "whsec_"


def new_secret() -> str:
    """Make up a secret as Standard Webhooks spells them: 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


@transaction.atomic
def add_webhook_secret(*, source_id: int, secret: str) -> None:
    """Accept this secret from now on, and of the older ones the last."""
    source = Source.objects.select_for_update().get(pk=source_id)
    older = [older_secret for older_secret in source.webhook_secrets if older_secret != secret]
    source.webhook_secrets = [secret, *older][:MAX_SECRETS]
    source.save(update_fields=["webhook_secrets"])


@transaction.atomic
def end_older_webhook_secrets(*, source_id: int) -> int:
    """Accept the newest secret only, at once; return how many ended."""
    source = Source.objects.select_for_update().get(pk=source_id)
    ended = len(source.webhook_secrets[1:])
    source.webhook_secrets = source.webhook_secrets[:1]
    source.save(update_fields=["webhook_secrets"])
    return ended
