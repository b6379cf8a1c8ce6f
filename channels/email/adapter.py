"""The way out by e-mail: a letter a parcel, over one line a batch."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from django.conf import settings
from django.utils import timezone

from channels.email.letter import Unsendable
from channels.email.mailer import MailerWay
from channels.email.smtp import SmtpWay, Unreachable
from channels.protocol import Adapter, Handover, IsOpen, Parcel

TIMEOUT = 10.0
_SMTP = "django.core.mail.backends.smtp.EmailBackend"


class Way(Protocol):
    """What carries letters; entered once a batch."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None: ...

    # None: it was no longer open when the letter was about to leave.
    def send(self, parcel: Parcel, is_open: IsOpen, *, now: datetime) -> Handover | None: ...


class EmailAdapter:
    """E-mail through one of MAILERS: a relay, a provider with an API, or the outbox."""

    channel = "email"
    address_kind = "email"
    # Nobody between here and the reader looks for a second letter with the same Message-ID.
    is_idempotent = False

    def __init__(self, alias: str = "default", *, timeout: float = TIMEOUT) -> None:
        self._alias = alias
        self._mailer = settings.MAILERS[alias]
        self._is_smtp = self._mailer["BACKEND"] == _SMTP
        self.timeout = timeout
        self.provider = "smtp" if self._is_smtp else MailerWay.name(self._mailer["BACKEND"])

    def hand_over(self, parcels: Sequence[Parcel], is_open: IsOpen) -> Iterator[Handover]:
        """Send each parcel as a letter; where nobody answers, the rest waits at once."""
        unreachable = ""
        with self._way() as way:
            for parcel in parcels:
                if not is_open():
                    return
                outcome: Handover | None = _waits(parcel, unreachable)
                if not unreachable:
                    try:
                        outcome = way.send(parcel, is_open, now=timezone.now())  # noqa: TID251  an edge
                    except Unsendable as error:
                        outcome = _never(parcel, str(error))
                    except Unreachable as error:
                        unreachable = error.code
                        outcome = _waits(parcel, unreachable)
                if outcome is None:
                    return
                yield outcome

    def _way(self) -> Way:
        if self._is_smtp:
            return SmtpWay(self._mailer["OPTIONS"], timeout=self.timeout)
        return MailerWay(self._mailer["BACKEND"], self._alias)


def adapters() -> tuple[Adapter, ...]:
    """Return the way out that MAIL_URL names, and the one that stands in for it."""
    return tuple(
        EmailAdapter(alias) for alias in ("default", "fallback") if alias in settings.MAILERS
    )


def _never(parcel: Parcel, why: str) -> Handover:
    return Handover(parcel.delivery_id, "rejected", code="unsendable", detail=f"Not sent: {why}.")


def _waits(parcel: Parcel, code: str) -> Handover:
    detail = "The relay cannot be reached; nothing was sent."
    return Handover(parcel.delivery_id, "transient", code=code, detail=detail)
