"""The adapter of the e-mail channel, which sends each batch over one connection."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from django.conf import settings
from django.utils import timezone

from channels.email.mailer import MailerTransport
from channels.email.mime import UnsendableMessage
from channels.email.smtp import SmtpTransport
from channels.email.smtp_connection import RelayUnreachable
from channels.protocol import ChannelAdapter, ChannelMessage, DeliveryResult, LeaseCheck

TIMEOUT = 10.0
_SMTP = "django.core.mail.backends.smtp.EmailBackend"


class EmailTransport(Protocol):
    """A context manager that sends e-mail; the adapter enters it once for each batch."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def send(
        self, message: ChannelMessage, is_lease_open: LeaseCheck, *, now: datetime
    ) -> DeliveryResult | None:
        """Send one message; return None if the lease closed before it was sent."""


class EmailAdapter:
    """E-mail through one of MAILERS: a relay, a provider with an API, or the outbox."""

    channel = "email"
    address_kind = "email"
    # No mail server or mail program removes a second mail with the same Message-ID.
    is_idempotent = False

    def __init__(self, alias: str = "default", *, timeout: float = TIMEOUT) -> None:
        self._alias = alias
        self._mailer = settings.MAILERS[alias]
        self._is_smtp = self._mailer["BACKEND"] == _SMTP
        self.timeout = timeout
        self.provider = (
            "smtp" if self._is_smtp else MailerTransport.provider_name(self._mailer["BACKEND"])
        )

    def send(
        self, messages: Sequence[ChannelMessage], is_lease_open: LeaseCheck
    ) -> Iterator[DeliveryResult]:
        """Send each message; if the relay becomes unreachable, postpone the rest."""
        unreachable = ""
        with self._transport() as transport:
            for message in messages:
                if not is_lease_open():
                    return
                delivery_result: DeliveryResult | None = _postponed(message, unreachable)
                if not unreachable:
                    try:
                        delivery_result = transport.send(message, is_lease_open, now=timezone.now())  # noqa: TID251  an edge
                    except UnsendableMessage as error:
                        delivery_result = _rejected(message, str(error))
                    except RelayUnreachable as error:
                        unreachable = error.code
                        delivery_result = _postponed(message, unreachable)
                if delivery_result is None:
                    return
                yield delivery_result

    def _transport(self) -> EmailTransport:
        if self._is_smtp:
            return SmtpTransport(self._mailer["OPTIONS"], timeout=self.timeout)
        return MailerTransport(self._mailer["BACKEND"], self._alias)


def adapters() -> tuple[ChannelAdapter, ...]:
    """Return the adapter for MAIL_URL, then the one for MAIL_FALLBACK_URL if it is set."""
    return tuple(
        EmailAdapter(alias) for alias in ("default", "fallback") if alias in settings.MAILERS
    )


def _rejected(message: ChannelMessage, reason: str) -> DeliveryResult:
    return DeliveryResult(
        message.delivery_id, "rejected", code="unsendable", detail=f"Not sent: {reason}."
    )


def _postponed(message: ChannelMessage, code: str) -> DeliveryResult:
    detail = "The relay is unreachable. Butler did not send the message."
    return DeliveryResult(message.delivery_id, "transient", code=code, detail=detail)
