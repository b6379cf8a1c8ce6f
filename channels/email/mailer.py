"""Hands letters to one of Django's mailers: the outbox, or a provider's API through anymail.

A mailer tells less than a relay does, so what is not plainly a yes or a no is uncertain.
"""

from datetime import datetime
from types import TracebackType
from typing import Any, Self

from django.core.mail import EmailMultiAlternatives, mailers

from channels.email.letter import compose, return_path
from channels.protocol import Handover, IsOpen, Parcel

_TAKEN = frozenset({"sent", "queued"})


class MailerWay:
    """Letters by Django's mailer, opened once a batch."""

    def __init__(self, backend: str, alias: str) -> None:
        self._alias = alias
        self._is_provider = backend.startswith("anymail.")
        self._mailer: Any = None

    @staticmethod
    def name(backend: str) -> str:
        """Return who is behind a mailer: "outbox", "postmark"."""
        parts = backend.split(".")
        return parts[-2] if len(parts) > 1 else backend

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if self._mailer is not None:
            self._mailer.close()

    def send(self, parcel: Parcel, is_open: IsOpen, *, now: datetime) -> Handover | None:
        """Hand one letter over, and read what came of it."""
        letter = compose(parcel, now=now)
        letter.envelope_sender = return_path(parcel.id)  # type: ignore[attr-defined]  # anymail's
        # Comes back with each report: also where the answer to this got lost.
        letter.metadata = {"message": str(parcel.id)}  # type: ignore[attr-defined]  # anymail's
        try:
            if self._mailer is None:
                self._mailer = mailers.create_connection(self._alias)
                self._mailer.open()
            if not is_open():
                return None
            self._mailer.send_messages([letter])
        except Exception as error:  # noqa: BLE001  whatever a mailer raises is an outcome
            return self._failed(parcel, error)
        return _accepted(parcel, letter)

    def _failed(self, parcel: Parcel, error: Exception) -> Handover:
        if self._is_provider:
            # Loads what only those need who have such a provider.
            from channels.email import provider

            return provider.read(parcel, error)
        return Handover(parcel.delivery_id, "uncertain", code="failed", detail=type(error).__name__)


def _accepted(parcel: Parcel, letter: EmailMultiAlternatives) -> Handover:
    """Read what a mailer says of a letter that it took; Django's own say nothing."""
    status = getattr(letter, "anymail_status", None)
    provider_id = getattr(status, "message_id", None)
    said = getattr(status, "status", None) or {"sent"}
    return Handover(
        parcel.delivery_id,
        "accepted" if said <= _TAKEN else "uncertain",
        provider_id=provider_id if isinstance(provider_id, str) else "",
        code="" if said <= _TAKEN else "unknown",
    )
