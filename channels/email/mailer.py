"""Sends mail through one of Django's mailers: the outbox, or a provider's API through anymail.

A mailer tells less than a relay does, so what is not plainly a yes or a no is uncertain.
"""

from datetime import datetime
from types import TracebackType
from typing import Any, Self

from django.core.mail import EmailMultiAlternatives, mailers

from channels.email.mime import build_django_message, return_path
from channels.protocol import ChannelMessage, DeliveryResult, LeaseCheck

_ACCEPTED_STATUSES = frozenset({"sent", "queued"})


class MailerTransport:
    """Sends through Django's mailer, opened once for each batch."""

    def __init__(self, backend: str, alias: str) -> None:
        self._alias = alias
        self._is_provider = backend.startswith("anymail.")
        self._mailer: Any = None

    @staticmethod
    def provider_name(backend: str) -> str:
        """Return who is behind a mailer: "outbox", "postmark"."""
        parts = backend.split(".")
        return parts[-2] if len(parts) > 1 else backend

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._mailer is not None:
            self._mailer.close()

    def send(
        self, message: ChannelMessage, is_lease_open: LeaseCheck, *, now: datetime
    ) -> DeliveryResult | None:
        """Send one message and return its result."""
        django_message = build_django_message(message, now=now)
        django_message.envelope_sender = return_path(message.id)  # type: ignore[attr-defined]  # anymail's
        # Comes back with each report: also where the answer to this got lost.
        django_message.metadata = {"message": str(message.id)}  # type: ignore[attr-defined]  # anymail's
        try:
            if self._mailer is None:
                self._mailer = mailers.create_connection(self._alias)
                self._mailer.open()
            if not is_lease_open():
                return None
            self._mailer.send_messages([django_message])
        except Exception as error:  # noqa: BLE001  whatever a mailer raises is an outcome
            return self._error_result(message, error)
        return _accepted_result(message, django_message)

    def _error_result(self, message: ChannelMessage, error: Exception) -> DeliveryResult:
        if self._is_provider:
            # Loads what only those need who have such a provider.
            from channels.email import provider_errors

            return provider_errors.delivery_result(message, error)
        return DeliveryResult(
            message.delivery_id, "uncertain", code="failed", detail=type(error).__name__
        )


def _accepted_result(
    message: ChannelMessage, django_message: EmailMultiAlternatives
) -> DeliveryResult:
    """Return the result of a message that the mailer took; Django's own mailers give no status."""
    status = getattr(django_message, "anymail_status", None)
    provider_id = getattr(status, "message_id", None)
    statuses = getattr(status, "status", None) or {"sent"}
    return DeliveryResult(
        message.delivery_id,
        "accepted" if statuses <= _ACCEPTED_STATUSES else "uncertain",
        provider_id=provider_id if isinstance(provider_id, str) else "",
        code="" if statuses <= _ACCEPTED_STATUSES else "unknown",
    )
