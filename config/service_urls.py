"""Parse the URLs of services in the environment into settings of Django and Celery."""

from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import env


def database(name: str) -> dict[str, Any]:
    """Parse postgres://user:password@host:port/name?option=value into Django's settings.

    A `host` in the query names a folder of Unix sockets.
    """
    url = urlsplit(env.service_url(name))
    if url.scheme not in {"postgres", "postgresql"} or not url.path.strip("/"):
        raise ImproperlyConfigured(
            f"{name} must look like postgres://user:password@host:5432/name."
        )
    options = dict(parse_qsl(url.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.strip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": options.pop("host", unquote(url.hostname or "")),
        "PORT": str(options.pop("port", url.port or "")),
        "OPTIONS": options,
    }


def broker_url(redis_url: str) -> str:
    """Return the URL for Celery, whose transport has its own form for Unix sockets."""
    if not redis_url.startswith("unix://"):
        return redis_url
    path, _, query = redis_url.removeprefix("unix://").partition("?")
    database_number = dict(parse_qsl(query)).get("db", "0")
    return f"redis+socket://{path}?virtual_host={database_number}"


def mailer(name: str, default: str) -> dict[str, Any]:
    """Parse smtp://user:password@host:587?starttls=1 or smtps://… into a mailer's settings.

    `anymail://postmark?server_token=…` is a provider with an API and its options of anymail.
    `outbox:` keeps mail on the developers' page /dev/outbox/.
    """
    url = urlsplit(env.text(name, default))
    if url.scheme == "outbox":
        return {"BACKEND": "channels.dev_outbox.OutboxBackend"}
    if url.scheme == "anymail" and url.hostname:
        backend = f"anymail.backends.{url.hostname}.EmailBackend"
        return {"BACKEND": backend, "OPTIONS": dict(parse_qsl(url.query))}
    if url.scheme not in {"smtp", "smtps"} or not url.hostname:
        raise ImproperlyConfigured(
            f"{name} must look like smtp://user:password@host:587?starttls=1."
        )
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": _relay_options(url),
    }


def _relay_options(url: SplitResult) -> dict[str, Any]:
    """Return the mailer options for the relay of an smtp:// or smtps:// URL."""
    is_tls = url.scheme == "smtps"
    return {
        "host": url.hostname,
        "port": url.port or (465 if is_tls else 25),
        "username": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "use_ssl": is_tls,
        "use_tls": dict(parse_qsl(url.query)).get("starttls") == "1",
        # Seconds, because a request may wait for the relay.
        "timeout": 10,
    }


def sms_account(name: str, default: str) -> dict[str, str] | None:
    """Parse twilio://SID:TOKEN@api.twilio.com?from=%2B31… into an account, `outbox:` into None.

    `twilio+http://…` uses no TLS, for a provider on this machine. `&shared_key=…` is a second
    secret, with which the provider may sign its webhooks.
    """
    url = urlsplit(value := env.text(name, default))
    if value in {"", "outbox:"}:
        return None
    options = dict(parse_qsl(url.query))
    sender = options.get("from", "")
    is_valid_url = url.scheme in {"twilio", "twilio+http"} and url.hostname
    if not (is_valid_url and url.username and url.password and sender):
        raise ImproperlyConfigured(
            f"{name} must look like twilio://SID:TOKEN@api.twilio.com?from=%2B31201234567."
        )
    return {
        "url": _provider_url(url),
        "sid": unquote(url.username),
        "token": unquote(url.password),
        "from": sender,
        "shared_key": options.get("shared_key", ""),
    }


def _provider_url(url: SplitResult) -> str:
    scheme = "http" if url.scheme == "twilio+http" else "https"
    return f"{scheme}://{url.hostname}" + (f":{url.port}" if url.port else "")
