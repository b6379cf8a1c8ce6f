"""Send mail to a relay over SMTP, and determine which outcomes are certain after an error.

Before Butler sends the line with the single dot, the relay has certainly not accepted the message
(RFC 5321, 4.5.3). After the relay's answer to that line, the outcome is certain again. In between
the outcome is `uncertain`. Django's mailer does not report this difference, so this module uses
SMTP directly.
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

# The answers to RCPT for a mailbox that does not exist, if there is no enhanced code.
_DEAD_RCPT_CODES = frozenset({550, 551, 553})
_TOO_LARGE_CODE = 552
# Seconds to wait for the answer to QUIT, so that a slow relay does not delay the outcomes.
_QUIT_TIMEOUT = 0.3


class RelayRejection(Exception):
    """The relay answered with an error code; `stage` is the SMTP command."""

    def __init__(self, stage: str, code: int, text: bytes) -> None:
        super().__init__(stage, code)
        self.stage = stage
        self.code = code
        # Only a code at the start of the text is the relay's own.
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
            # The dot is sent separately: if the connection breaks first, the relay has no message.
            connection.send_partial(_dot_stuffed(smtp_message.content))
        except RelayRejection as rejection:
            return self._rejection_result(message, rejection)
        except (OSError, smtplib.SMTPException):
            self._disconnect()
            return _lost_connection_result(message, is_past_deadline=connection.is_past_deadline())
        # The steps above may have taken long, so check the lease again before the dot.
        if not is_lease_open():
            self._disconnect()
            return None
        return self._end_data(message, connection)

    def _send_envelope(self, connection: DeadlineSmtp, smtp_message: SmtpMessage) -> None:
        # Both are bare addresses. The library's own methods would parse them again, which takes a
        # tenth of the time of a message.
        _expect("MAIL", connection.docmd("MAIL", f"FROM:<{smtp_message.envelope_from}>"), 250)
        _expect("RCPT", connection.docmd("RCPT", f"TO:<{smtp_message.envelope_to}>"), 250, 251)
        for copy in smtp_message.envelope_copies:
            # A refused copy does not hold up the message.
            connection.docmd("RCPT", f"TO:<{copy}>")
        _expect("DATA", connection.docmd("DATA"), 354)

    def _end_data(self, message: ChannelMessage, connection: DeadlineSmtp) -> DeliveryResult:
        try:
            connection.send(b".\r\n")
            code, text = connection.getreply()
        except (OSError, smtplib.SMTPException):
            self._disconnect()
            detail = "The connection broke before the relay answered."
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
        # The relay's text is left out, because it may contain the address.
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
    """Double the dots at the start of lines, and end with a line break (RFC 5321, 4.5.2)."""
    dot_stuffed = re.sub(rb"(?m)^\.", b"..", content)
    return dot_stuffed if dot_stuffed.endswith(b"\r\n") else dot_stuffed + b"\r\n"


def _lost_connection_result(message: ChannelMessage, *, is_past_deadline: bool) -> DeliveryResult:
    detail = "The connection broke before the message was sent."
    if is_past_deadline:
        detail = "The relay did not accept the message in time."
    code = "timeout" if is_past_deadline else "line_broken"
    return DeliveryResult(message.delivery_id, "transient", code=code, detail=detail)


def _is_permanent(rejection: RelayRejection) -> bool:
    if not 500 <= rejection.code < 600:
        return False
    # A rejected sender is our own problem, not the customer's: the message waits for its repair.
    return rejection.stage != "MAIL" or rejection.code == _TOO_LARGE_CODE


def _is_dead_mailbox(rejection: RelayRejection) -> bool:
    if not _is_permanent(rejection) or rejection.stage == "MAIL":
        return False
    if rejection.enhanced_code:
        return status_codes.is_dead_address(rejection.enhanced_code)
    return rejection.stage == "RCPT" and rejection.code in _DEAD_RCPT_CODES
