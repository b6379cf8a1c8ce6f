"""An SMTP connection with one deadline for all of its commands."""

import io
import smtplib
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any

from channels.email.mime import own_domain

_CONNECT_SHARE = 0.3


class RelayUnreachable(Exception):
    """The relay is unreachable or refused the login, and no message was sent."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _DeadlineReader(io.RawIOBase):
    """The socket as a file. Each read ends at the deadline at the latest."""

    def __init__(self, connection: "DeadlineSmtp") -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into the buffer; return the number of bytes. Raises TimeoutError at the deadline."""
        return self._connection.socket_until_deadline().recv_into(buffer)


class DeadlineSmtp(smtplib.SMTP):
    """An SMTP connection whose commands all end before one deadline."""

    def __init__(self, deadline: float, *args: Any, **options: Any) -> None:
        self.deadline = deadline
        super().__init__(*args, **options)

    def socket_until_deadline(self) -> socket.socket:
        """Return the socket with the remaining time as its timeout."""
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the relay did not answer before the deadline")
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        self.sock.settimeout(remaining)
        return self.sock

    def is_past_deadline(self) -> bool:
        """Whether the time for the whole message is over."""
        # smtplib reports a timeout as a closed connection, so compare the clock.
        return time.monotonic() >= self.deadline

    def getreply(self) -> tuple[int, bytes]:
        """Return the code and text of a reply. Raises SMTPServerDisconnected at the deadline."""
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_DeadlineReader(self))
        return super().getreply()

    def send(self, s: Any) -> None:
        """Send bytes or ASCII text. Raises TimeoutError at the deadline."""
        self.socket_until_deadline().sendall(s if isinstance(s, bytes) else s.encode("ascii"))

    def send_partial(self, content: bytes) -> None:
        """Send content that more content follows; the system may send both in one packet."""
        sock = self.socket_until_deadline()
        if isinstance(sock, ssl.SSLSocket) or not hasattr(socket, "MSG_MORE"):
            sock.sendall(content)
        else:
            sock.sendall(content, socket.MSG_MORE)


class DeadlineSmtpSsl(DeadlineSmtp, smtplib.SMTP_SSL):
    """A DeadlineSmtp that uses TLS from the first byte."""


def connect(options: Mapping[str, Any], deadline: float, *, timeout: float) -> DeadlineSmtp:
    """Return a connection with TLS and a login if the options say so. Raises RelayUnreachable."""
    try:
        connection = _open(options, deadline, timeout=_CONNECT_SHARE * timeout)
        try:
            _prepare(connection, options)
        except BaseException:
            connection.close()
            raise
    except smtplib.SMTPResponseException as error:
        raise RelayUnreachable(str(error.smtp_code)) from None
    except (OSError, smtplib.SMTPException):
        is_late = time.monotonic() >= deadline
        raise RelayUnreachable("connect_timeout" if is_late else "connect_failed") from None
    return connection


def _open(options: Mapping[str, Any], deadline: float, *, timeout: float) -> DeadlineSmtp:
    # A host may have several addresses, and TLS follows: each step gets a share of the timeout.
    arguments = (deadline, options["host"], options["port"], own_domain())
    if options.get("use_ssl"):
        return DeadlineSmtpSsl(*arguments, timeout=timeout, context=ssl.create_default_context())
    return DeadlineSmtp(*arguments, timeout=timeout)


def _prepare(connection: DeadlineSmtp, options: Mapping[str, Any]) -> None:
    # Send short commands at once: otherwise each mail waits for 40 ms.
    connection.socket_until_deadline().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if options.get("use_tls"):
        connection.starttls(context=ssl.create_default_context())
    connection.ehlo_or_helo_if_needed()
    if options.get("username"):
        connection.login(options["username"], options["password"])
