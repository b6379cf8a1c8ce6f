"""Sends mail to a relay over SMTP, and tells which outcomes are certain after an error.

Until the line with the single dot has left, the relay certainly has nothing (RFC 5321, 4.5.3);
once its answer to that line is here, both sides know. In between nobody does: that is what
`uncertain` is for, and why this goes below Django's mailer, which cannot tell the two apart.
"""

import contextlib
import re
import smtplib
import time
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from channels.email import status_codes
from channels.email.mime import SmtpMessage, build_smtp_message, own_domain
from channels.email.smtp_connection import DeadlineSmtp, connect
from channels.protocol import ChannelMessage, DeliveryResult, LeaseCheck

# Without an enhanced code, what a relay answers to RCPT for a mailbox that is not there.
_DEAD_RCPT_CODES = frozenset({550, 551, 553})
_TOO_LARGE_CODE = 552
# Nobody's outcome is to wait for a relay that says no goodbye.
_QUIT_TIMEOUT = 0.3


class RelayRejection(Exception):
    """The relay answered with an error code; `stage` is the SMTP command."""

    def __init__(self, stage: str, code: int, text: bytes) -> None:
        super().__init__(stage, code)
        self.stage = stage
        self.code = code
        # Only at the beginning it is the relay's own.
        self.enhanced_code = status_codes.find_code(text[:12].decode("ascii", "replace"))


class SmtpTransport:
    """One connection to the relay, opened with the first message and used for the whole batch."""

    def __init__(self, options: Mapping[str, Any], *, timeout: float) -> None:
        self._options = options
        self._timeout = timeout
        self._connection: DeadlineSmtp | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._disconnect(sends_quit=True)

    def send(
        self, message: ChannelMessage, is_lease_open: LeaseCheck, *, now: datetime
    ) -> DeliveryResult | None:
        """Send one message. Raises UnsendableMessage or RelayUnreachable."""
        smtp_message = build_smtp_message(message, now=now)
        deadline = time.monotonic() + self._timeout
        connection = self._open_connection(deadline)
        connection.deadline = deadline
        try:
            self._send_envelope(connection, smtp_message)
            # The dot is sent apart, so that a line that breaks before it leaves no doubt.
            connection.send_partial(_dot_stuffed(smtp_message.content))
        except RelayRejection as rejection:
            return self._rejection_result(message, rejection)
        except (OSError, smtplib.SMTPException):
            self._disconnect()
            return _lost_connection_result(message, is_past_deadline=connection.is_past_deadline())
        # Everything up to here may have taken its time; only now does it leave.
        if not is_lease_open():
            self._disconnect()
            return None
        return self._end_data(message, connection)

    def _send_envelope(self, connection: DeadlineSmtp, smtp_message: SmtpMessage) -> None:
        # Both are bare addresses already; the library would take them apart again, a tenth of
        # all that a message costs.
        _expect("MAIL", connection.docmd("MAIL", f"FROM:<{smtp_message.envelope_from}>"), 250)
        _expect("RCPT", connection.docmd("RCPT", f"TO:<{smtp_message.envelope_to}>"), 250, 251)
        _expect("DATA", connection.docmd("DATA"), 354)

    def _end_data(self, message: ChannelMessage, connection: DeadlineSmtp) -> DeliveryResult:
        try:
            connection.send(b".\r\n")
            code, text = connection.getreply()
        except (OSError, smtplib.SMTPException):
            self._disconnect()
            detail = "The line broke before the relay answered."
            if connection.is_past_deadline():
                detail = "The relay did not answer in time."
            return DeliveryResult(message.delivery_id, "uncertain", code="no_answer", detail=detail)
        if code != 250:
            return self._rejection_result(message, RelayRejection("the message", code, text))
        return DeliveryResult(
            message.delivery_id, "accepted", provider_id=f"{message.id}@{own_domain()}", code="250"
        )

    def _rejection_result(
        self, message: ChannelMessage, rejection: RelayRejection
    ) -> DeliveryResult:
        code = str(rejection.code)
        if rejection.code == 421 or rejection.code not in range(400, 600):
            self._disconnect()
        else:
            self._reset()
        # The relay's own words are left out: they like to quote the address.
        detail = (
            f"The relay answered {code} {rejection.enhanced_code}".strip()
            + f" at {rejection.stage}."
        )
        return DeliveryResult(
            message.delivery_id,
            "rejected" if _is_permanent(rejection) else "transient",
            code=rejection.enhanced_code or code,
            detail=detail,
            suppress="bounced" if _is_dead_mailbox(rejection) else "",
        )

    def _open_connection(self, deadline: float) -> DeadlineSmtp:
        if self._connection is None:
            self._connection = connect(self._options, deadline, timeout=self._timeout)
        return self._connection

    def _reset(self) -> None:
        """Reset the SMTP transaction after a rejected message."""
        if self._connection is None:
            return
        try:
            code, _ = self._connection.rset()
        except (OSError, smtplib.SMTPException):
            code = 0
        if code != 250:
            self._disconnect()

    def _disconnect(self, *, sends_quit: bool = False) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if sends_quit:
            connection.deadline = time.monotonic() + _QUIT_TIMEOUT
            with contextlib.suppress(OSError, smtplib.SMTPException):
                connection.quit()
        connection.close()


def _expect(stage: str, answer: tuple[int, bytes], *expected_codes: int) -> None:
    code, text = answer
    if code == -1:
        raise smtplib.SMTPServerDisconnected("no answer")
    if code not in expected_codes:
        raise RelayRejection(stage, code, text)


def _dot_stuffed(content: bytes) -> bytes:
    """Double the dots that begin lines, and end with a line's end (RFC 5321, 4.5.2)."""
    dot_stuffed = re.sub(rb"(?m)^\.", b"..", content)
    return dot_stuffed if dot_stuffed.endswith(b"\r\n") else dot_stuffed + b"\r\n"


def _lost_connection_result(message: ChannelMessage, *, is_past_deadline: bool) -> DeliveryResult:
    detail = "The line broke before the message was sent."
    if is_past_deadline:
        detail = "The relay took too long."
    code = "timeout" if is_past_deadline else "line_broken"
    return DeliveryResult(message.delivery_id, "transient", code=code, detail=detail)


def _is_permanent(rejection: RelayRejection) -> bool:
    if not 500 <= rejection.code < 600:
        return False
    # A refusal of the sender is about us, not about this customer: it waits until it is mended.
    return rejection.stage != "MAIL" or rejection.code == _TOO_LARGE_CODE


def _is_dead_mailbox(rejection: RelayRejection) -> bool:
    if not _is_permanent(rejection) or rejection.stage == "MAIL":
        return False
    if rejection.enhanced_code:
        return status_codes.is_dead_address(rejection.enhanced_code)
    return rejection.stage == "RCPT" and rejection.code in _DEAD_RCPT_CODES
