"""A simulated mail relay on this machine, with the failures of real relays."""

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from bench.ports import free_port


class Received(NamedTuple):
    """One mail that the relay accepted."""

    envelope_from: str
    envelope_to: list[str]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)


class Relay:
    """The handler of a relay that takes mail, or fails by its `mode`:

    ok · busy (450 at RCPT) · unknown (550 5.1.1) · spam (554 5.7.1 after the content) ·
    closing (421) · sender (550 at MAIL) · hang (takes the mail and never answers) ·
    drop (takes it and closes the connection) · cut (closes it at RCPT, before the content) ·
    stall (never answers RCPT)
    """

    def __init__(self) -> None:
        self.mode = "ok"
        self.letters: list[Received] = []
        self.lines = 0
        # Called at the command DATA, before the content of a mail.
        self.at_data = lambda: None

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.mode == "sender":
            return "550 5.7.1 We do not take mail from you"
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        match self.mode:
            case "busy":
                return f"450 4.2.1 <{address}> try later"
            case "unknown":
                return f"550 5.1.1 <{address}>: user unknown"
            case "full":
                return f"552 5.2.2 <{address}>: mailbox full"
            case "bare":
                return f"550 <{address}>: no such user here"
            case "closing":
                return "421 4.3.2 Shutting down"
            case "cut":
                server.transport.abort()
            case "stall":
                await asyncio.sleep(30)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.mode == "spam":
            return "554 5.7.1 This looks like something nobody wants"
        if self.mode == "later":
            return "451 4.7.1 Greylisted"
        self.letters.append(
            Received(envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content)
        )
        if self.mode == "drop":
            server.transport.abort()
        if self.mode == "hang":
            await asyncio.sleep(30)
        return "250 2.0.0 Queued"


class _CountingSmtp(SMTP):
    """An SMTP server that counts its connections, and calls `at_data` before the content."""

    def connection_made(self, transport):
        self.event_handler.lines += 1
        super().connection_made(transport)

    async def smtp_DATA(self, arg):
        self.event_handler.at_data()
        await super().smtp_DATA(arg)


class _Controller(Controller):
    def factory(self):
        return _CountingSmtp(self.handler, hostname="relay.example", enable_SMTPUTF8=False)


def start(relay: Relay) -> tuple[Controller, int]:
    """Start the relay, and return its controller (with `stop`) and its port."""
    port = free_port()
    controller = _Controller(relay, hostname="127.0.0.1", port=port)
    controller.start()
    # Do not count the connection of the controller's own check.
    relay.lines = 0
    return controller, port
