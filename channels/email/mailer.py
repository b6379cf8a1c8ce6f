"""Send mail through one of Django's mailers: the outbox, or a provider's API through anymail.

A mailer gives less detail than a relay, so each unclear response becomes "uncertain".
"""

from datetime import datetime
from types import TracebackType
from typing import Any, Self

from django.core.mail import EmailMultiAlternatives, mailers

from channels.email.mime import build_django_message, return_path
from channels.protocol import ChannelMessage, DeliveryResult, LeaseCheck

_ACCEPTED_STATUSES = frozenset({"sent", "queued"})


class MailerTransport:
    """A transport that uses Django's mailer and opens it once for each batch."""

    def __init__(self, backend: str, alias: str) -> None:
        self._alias = alias
        self._is_provider = backend.startswith("anymail.")
        self._mailer: Any = None

    @staticmethod
    def provider_name(backend: str) -> str:
        """Return the name of a mailer's provider, such as "outbox" or "postmark"."""
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
        # The provider repeats it in each report, even if its response to this request was lost.
        django_message.metadata = {"message": str(message.id)}  # type: ignore[attr-defined]  # anymail's
        try:
            if self._mailer is None:
                self._mailer = mailers.create_connection(self._alias)
                self._mailer.open()
            if not is_lease_open():
                return None
            self._mailer.send_messages([django_message])
        except Exception as error:  # noqa: BLE001  each error of a mailer becomes an outcome
            return self._error_result(message, error)
        return _accepted_result(message, django_message)

    def _error_result(self, message: ChannelMessage, error: Exception) -> DeliveryResult:
        if self._is_provider:
            # Imported here, because only installations with such a provider need it.
            from channels.email import provider_errors

            return provider_errors.delivery_result(message, error)
        return DeliveryResult(
            message.delivery_id, "uncertain", code="failed", detail=type(error).__name__
        )


def _accepted_result(
    message: ChannelMessage, django_message: EmailMultiAlternatives
) -> DeliveryResult:
    """Return the result of a message that the mailer took. Django's own mailers give no status."""
    status = getattr(django_message, "anymail_status", None)
    provider_id = getattr(status, "message_id", None)
    statuses = getattr(status, "status", None) or {"sent"}
    return DeliveryResult(
        message.delivery_id,
        "accepted" if statuses <= _ACCEPTED_STATUSES else "uncertain",
        provider_id=provider_id if isinstance(provider_id, str) else "",
        code="" if statuses <= _ACCEPTED_STATUSES else "unknown",
    )
