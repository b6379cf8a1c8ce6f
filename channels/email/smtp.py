"""Hands letters to a relay over SMTP, and can tell what the relay knows when it goes wrong.

Until the line with the single dot has left, the relay certainly has nothing (RFC 5321, 4.5.3);
once its answer to that line is here, both sides know. In between nobody does: that is what
`uncertain` is for, and why this goes below Django's mailer, which cannot tell the two apart.
"""

import contextlib
import io
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from channels.email import codes
from channels.email.letter import Letter, own_domain, seal
from channels.protocol import Handover, IsOpen, Parcel

# Without an enhanced code, what a relay answers to RCPT for a mailbox that is not there.
_DEAD_AT_RCPT = frozenset({550, 551, 553})
_TOO_LARGE = 552
# Nobody's outcome is to wait for a relay that says no goodbye.
_QUIT_WAITS = 0.3
_SHARE = 0.3


class Unreachable(Exception):
    """There is no relay to talk to now, or it does not know us. Nothing has left."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Declined(Exception):
    """The relay answered with a code that is no yes; `stage` is where."""

    def __init__(self, stage: str, code: int, text: bytes) -> None:
        super().__init__(stage, code)
        self.stage = stage
        self.code = code
        # Only at the beginning it is the relay's own.
        self.enhanced = codes.find(text[:12].decode("ascii", "replace"))


class _Reader(io.RawIOBase):
    """The socket as a file whose every read ends at the deadline, not a timeout later."""

    def __init__(self, line: "_Bounded") -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._line.limited().recv_into(buffer)


class _Bounded(smtplib.SMTP):
    """An SMTP line on which everything together takes no longer than until the deadline."""

    def __init__(self, deadline: float, *args: Any, **options: Any) -> None:
        self.deadline = deadline
        super().__init__(*args, **options)

    def limited(self) -> socket.socket:
        """Return the socket with what is left of the time."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the relay takes too long")
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the line is closed")
        self.sock.settimeout(left)
        return self.sock

    def is_late(self) -> bool:
        # smtplib turns a timeout into a line that was closed, so the clock has to tell.
        return time.monotonic() >= self.deadline

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Reader(self))
        return super().getreply()

    def send(self, s: Any) -> None:
        self.limited().sendall(s if isinstance(s, bytes) else s.encode("ascii"))

    def send_more(self, content: bytes) -> None:
        """Send what is not yet all: the system may wait for the rest, and send it at once."""
        sock = self.limited()
        if isinstance(sock, ssl.SSLSocket) or not hasattr(socket, "MSG_MORE"):
            sock.sendall(content)
        else:
            sock.sendall(content, socket.MSG_MORE)


class _BoundedTls(_Bounded, smtplib.SMTP_SSL):
    """The same, with TLS from the first byte."""


class SmtpWay:
    """One line to the relay, opened with the first letter and used for all of a batch."""

    def __init__(self, options: Mapping[str, Any], *, timeout: float) -> None:
        self._options = options
        self._timeout = timeout
        self._line: _Bounded | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._hang_up(politely=True)

    def send(self, parcel: Parcel, is_open: IsOpen, *, now: datetime) -> Handover | None:
        """Hand one parcel over. Raises Unsendable, or Unreachable where nobody takes it."""
        letter = seal(parcel, now=now)
        deadline = time.monotonic() + self._timeout
        line = self._connected(deadline)
        line.deadline = deadline
        try:
            self._introduce(line, letter)
            # The dot is sent apart, so that a line that breaks before it leaves no doubt.
            line.send_more(_stuffed(letter.content))
        except Declined as refused:
            return self._refused(parcel, refused)
        except (OSError, smtplib.SMTPException):
            self._hang_up()
            return _broken(parcel, is_late=line.is_late())
        # Everything up to here may have taken its time; only now does it leave.
        if not is_open():
            self._hang_up()
            return None
        return self._finish(parcel, line)

    def _introduce(self, line: _Bounded, letter: Letter) -> None:
        # Both are bare addresses already; the library would take them apart again, a tenth of
        # all that a message costs.
        _expect("MAIL", line.docmd("MAIL", f"FROM:<{letter.envelope_from}>"), 250)
        _expect("RCPT", line.docmd("RCPT", f"TO:<{letter.envelope_to}>"), 250, 251)
        _expect("DATA", line.docmd("DATA"), 354)

    def _finish(self, parcel: Parcel, line: _Bounded) -> Handover:
        try:
            line.send(b".\r\n")
            code, text = line.getreply()
        except (OSError, smtplib.SMTPException):
            self._hang_up()
            detail = "The line broke before the relay answered."
            if line.is_late():
                detail = "The relay did not answer in time."
            return Handover(parcel.delivery_id, "uncertain", code="no_answer", detail=detail)
        if code != 250:
            return self._refused(parcel, Declined("the message", code, text))
        return Handover(
            parcel.delivery_id, "accepted", provider_id=f"{parcel.id}@{own_domain()}", code="250"
        )

    def _refused(self, parcel: Parcel, refused: Declined) -> Handover:
        code = str(refused.code)
        if refused.code == 421 or refused.code not in range(400, 600):
            self._hang_up()
        else:
            self._start_over()
        # The relay's own words are left out: they like to quote the address.
        detail = f"The relay answered {code} {refused.enhanced}".strip() + f" at {refused.stage}."
        return Handover(
            parcel.delivery_id,
            "rejected" if _is_final(refused) else "transient",
            code=refused.enhanced or code,
            detail=detail,
            suppress="bounced" if _is_dead(refused) else "",
        )

    def _connected(self, deadline: float) -> _Bounded:
        if self._line is None:
            try:
                self._line = self._dial(deadline)
            except smtplib.SMTPResponseException as error:
                raise Unreachable(str(error.smtp_code)) from None
            except (OSError, smtplib.SMTPException):
                late = time.monotonic() >= deadline
                raise Unreachable("connect_timeout" if late else "connect_failed") from None
        return self._line

    def _dial(self, deadline: float) -> _Bounded:
        options = self._options
        secured = ssl.create_default_context() if _is_secured(options) else None
        where = (deadline, options["host"], options["port"], own_domain())
        line: _Bounded
        # A name may have several addresses, and TLS comes after: each gets its share.
        if options.get("use_ssl"):
            line = _BoundedTls(*where, timeout=_SHARE * self._timeout, context=secured)
        else:
            line = _Bounded(*where, timeout=_SHARE * self._timeout)
        try:
            # Small lines wait for nothing: without this each letter costs 40 ms of silence.
            line.limited().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if options.get("use_tls"):
                line.starttls(context=secured)
            line.ehlo_or_helo_if_needed()
            if options.get("username"):
                line.login(options["username"], options["password"])
        except BaseException:
            line.close()
            raise
        return line

    def _start_over(self) -> None:
        """Forget the letter that was refused, so that the next one begins anew."""
        if self._line is None:
            return
        try:
            code, _ = self._line.rset()
        except (OSError, smtplib.SMTPException):
            code = 0
        if code != 250:
            self._hang_up()

    def _hang_up(self, *, politely: bool = False) -> None:
        line, self._line = self._line, None
        if line is None:
            return
        if politely:
            line.deadline = time.monotonic() + _QUIT_WAITS
            with contextlib.suppress(OSError, smtplib.SMTPException):
                line.quit()
        line.close()


def _expect(stage: str, answer: tuple[int, bytes], *wanted: int) -> None:
    code, text = answer
    if code == -1:
        raise smtplib.SMTPServerDisconnected("no answer")
    if code not in wanted:
        raise Declined(stage, code, text)


def _stuffed(content: bytes) -> bytes:
    """Double the dots that begin lines, and end with a line's end (RFC 5321, 4.5.2)."""
    stuffed = re.sub(rb"(?m)^\.", b"..", content)
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"


def _broken(parcel: Parcel, *, is_late: bool) -> Handover:
    detail = "The line broke before the message was sent."
    if is_late:
        detail = "The relay took too long."
    code = "timeout" if is_late else "line_broken"
    return Handover(parcel.delivery_id, "transient", code=code, detail=detail)


def _is_final(refused: Declined) -> bool:
    if not 500 <= refused.code < 600:
        return False
    # A refusal of the sender is about us, not about this customer: it waits until it is mended.
    return refused.stage != "MAIL" or refused.code == _TOO_LARGE


def _is_dead(refused: Declined) -> bool:
    if not _is_final(refused) or refused.stage == "MAIL":
        return False
    if refused.enhanced:
        return codes.is_dead(refused.enhanced)
    return refused.stage == "RCPT" and refused.code in _DEAD_AT_RCPT


def _is_secured(options: Mapping[str, Any]) -> bool:
    return bool(options.get("use_ssl") or options.get("use_tls"))
