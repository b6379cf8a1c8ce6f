"""System checks for the configurations with which Butler does not start."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from customers import db
from customers.consent.signing import NoReceiptKey, signer

# With any of these off, an acknowledged event can be lost in a power cut.
REQUIRED_ON = ("fsync", "full_page_writes", "synchronous_commit")
_DURABLE = {"on", "remote_write", "remote_apply", "local"}


def settings_without_durability() -> list[str]:
    """Return the names of the database settings that allow losing acknowledged events."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY (%s) ORDER BY name",
            [list(REQUIRED_ON)],
        )
        return [name for name, setting in cursor.fetchall() if setting not in _DURABLE]


@checks.register(checks.Tags.database)
def check_database_is_durable(
    databases: Sequence[str] | None = None, **_: Any
) -> list[checks.Error]:
    """Refuse a database that can lose committed transactions."""
    if "default" not in (databases or ()):
        return []
    return [
        checks.Error(
            f"The database runs with {name} = off, so it can lose acknowledged events.",
            hint=f"Set {name} = on, for the server, the database and the role.",
            id="butler.E001",
        )
        for name in settings_without_durability()
    ]


@checks.register(checks.Tags.security)
def check_secret_key(**_: Any) -> list[checks.Error]:
    """Refuse a secret key that others may know or guess."""
    key = settings.SECRET_KEY
    if settings.DEBUG or (len(key) >= 32 and len(set(key)) >= 10 and "insecure" not in key):
        return []
    hint = "Generate a key: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
    return [checks.Error("SECRET_KEY can be guessed.", hint=hint, id="butler.E002")]


@checks.register(checks.Tags.security)
def check_receipt_key(**_: Any) -> list[checks.Error]:
    """Refuse to start without a valid key for signing consent receipts."""
    try:
        signer()
    except NoReceiptKey:
        hint = "Generate a key: python -c 'import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())'"
        return [checks.Error("RECEIPT_KEY is not 32 bytes in Base64.", hint=hint, id="butler.E003")]
    return []


@checks.register(checks.Tags.security, deploy=True)
def check_site_url(**_: Any) -> list[checks.Warning]:
    """Warn if the links in messages would lead customers to their own machine."""
    if urlsplit(settings.BUTLER_SITE_URL).hostname not in {None, "localhost", "127.0.0.1", "::1"}:
        return []
    hint = "Set BUTLER_SITE_URL to the public URL of this site: https://butler.example.com"
    message = "Links in messages lead to the customer's own machine."
    return [checks.Warning(message, hint=hint, id="butler.W001")]


def refuse_to_start() -> None:
    """Raise ImproperlyConfigured if a check finds an error."""
    errors: list[Any] = [*check_secret_key(), *check_receipt_key()]
    # The process also starts while the database is unavailable; /readyz checks it later.
    with suppress(*db.CONNECTION_ERRORS):
        errors += check_database_is_durable(databases=["default"])
    if errors:
        raise ImproperlyConfigured("\n".join(f"{error.msg} {error.hint}" for error in errors))
