"""An SMTP relay that writes each message it receives to a file, or fails on command.

python -m bench.sink FILE prints its port, then reads modes line by line from its standard input
and ends with it; "drop 6" drops six messages and then returns to "ok". It does as little work as
possible, because its senders are measured.

ok · refuse (451 after DATA) · slow (answers after up to two seconds) · drop (accepts the message
and closes the connection without an answer) · cut (closes the connection before the message)
"""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import IO, ClassVar, NamedTuple, Self

MODES = ("ok", "refuse", "slow", "drop", "cut")
SLOWEST_ANSWER = 2.0
_END = b"\r\n.\r\n"


class ReceivedMessage(NamedTuple):
    """One message that the relay received."""

    # Monotonic seconds, on the clock that all processes of this machine share.
    received_at: float
    # The id of Butler's message, from the Message-ID.
    message_id: str
    recipient: str
    # The topic: the first part of Feedback-ID.
    topic: str
    subject: str
    body_hash: str
    # False: its sender got no answer.
    is_acknowledged: bool


class _Connection(asyncio.Protocol):
    """One connection; commands may come together, as RFC 2920 allows."""

    transport: asyncio.Transport

    def __init__(self, relay: "Relay") -> None:
        self.relay = relay
        self.buffer = b""
        self.is_in_message = False
        self.recipient = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, chunk: bytes) -> None:
        self.buffer += chunk
        while not self.transport.is_closing():
            end = _END if self.is_in_message else b"\r\n"
            line, is_complete, rest = self.buffer.partition(end)
            if not is_complete:
                return
            self.buffer = rest
            if self.is_in_message:
                self._receive_message(line)
            else:
                self._run_command(line)

    def _run_command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"RCPT":
            self.recipient = line.partition(b"<")[2].partition(b">")[0]
        elif verb == b"DATA":
            if self.relay.mode == "cut":
                self.relay.next_mode()
                self.transport.abort()
                return
            self.is_in_message = True
            self.transport.write(b"354 go on\r\n")
            return
        elif verb == b"QUIT":
            self.transport.write(b"221 bye\r\n")
            self.transport.close()
            return
        self.transport.write(b"250 OK\r\n")

    def _receive_message(self, message: bytes) -> None:
        self.is_in_message = False
        mode = self.relay.next_mode()
        if mode == "refuse":
            self.transport.write(b"451 4.7.1 later\r\n")
            return
        self.relay.write(_parse_email(self.recipient, message), is_acknowledged=mode != "drop")
        if mode == "drop":
            self.transport.abort()
        elif mode == "slow":
            wait = random.uniform(0, SLOWEST_ANSWER)
            asyncio.get_running_loop().call_later(wait, self.transport.write, b"250 OK\r\n")
        else:
            self.transport.write(b"250 OK\r\n")


class Relay:
    """The mode and the file that all connections share."""

    def __init__(self, path: Path) -> None:
        self.mode = "ok"
        # Messages until the mode is ok again.
        self.remaining = float("inf")
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def set_mode(self, command: str) -> None:
        """Set the mode, such as "drop 3": for three messages, or without a number until the next command.

        Raises ValueError for an unknown mode.
        """
        mode, _, times = command.partition(" ")
        if mode not in MODES:
            raise ValueError(command)
        self.mode, self.remaining = mode, float(times or "inf")

    def next_mode(self) -> str:
        """Return the mode for the current message, and count it."""
        mode = self.mode
        self.remaining -= 1
        if self.remaining <= 0:
            self.set_mode("ok")
        return mode

    def write(self, fields: Sequence[bytes], *, is_acknowledged: bool) -> None:
        """Append message id, recipient, topic, subject and body hash, before the answer is sent."""
        received_at = f"{time.monotonic():.6f}".encode()
        line = b"\t".join((received_at, *fields, b"1" if is_acknowledged else b"0"))
        os.write(self._file, line + b"\n")


def _parse_email(recipient: bytes, email: bytes) -> Sequence[bytes]:
    head, _, body = email.partition(b"\r\n\r\n")
    return (
        _header(head, b"Message-ID").strip(b"<>").partition(b"@")[0],
        recipient,
        _header(head, b"Feedback-ID").partition(b":")[0],
        _header(head, b"Subject"),
        hash_body(body),
    )


def hash_body(body: bytes) -> bytes:
    """Return the digest of a body as 16 hex digits."""
    return blake2b(body, digest_size=8).hexdigest().encode()


def _header(head: bytes, name: bytes) -> bytes:
    return head.partition(b"\r\n" + name + b": ")[2].partition(b"\r\n")[0]


def read_messages(path: Path) -> list[ReceivedMessage]:
    """Read the messages that a relay received, in their order."""
    return [_parse_message(line.split("\t")) for line in path.read_text().splitlines()]


def _parse_message(fields: list[str]) -> ReceivedMessage:
    received_at, message_id, recipient, topic, subject, body_hash, is_acknowledged = fields
    return ReceivedMessage(
        float(received_at), message_id, recipient, topic, subject, body_hash, is_acknowledged == "1"
    )


class Sink:
    """A relay in a separate process."""

    module: ClassVar = "bench.sink"

    def __init__(self, process: "subprocess.Popen[str]", port: int, path: Path) -> None:
        self.port = port
        self.path = path
        self._process = process

    @classmethod
    @contextmanager
    def running(cls, path: Path) -> Iterator[Self]:
        """Run a relay that writes to this file."""
        process = subprocess.Popen(
            [sys.executable, "-m", cls.module, str(path)],
            cwd=Path(__file__).resolve().parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            yield cls(process, int(process.stdout.readline()), path)
        finally:
            process.kill()
            process.communicate()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def set_mode(self, command: str) -> None:
        """Set the mode from now on, or for this number of messages."""
        stdin: IO[str] = self._process.stdin  # type: ignore[assignment]  # Popen got stdin=PIPE
        stdin.write(f"{command}\n")
        stdin.flush()

    def received(self) -> list[ReceivedMessage]:
        """Return the messages that the relay has received so far, in their order of arrival."""
        return read_messages(self.path)


async def run_modes(relay: Relay, server: asyncio.Server) -> None:
    """Print the port, then set the modes that standard input names, until it ends."""
    print(server.sockets[0].getsockname()[1], flush=True)
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while command := (await commands.readline()).decode().strip():
        relay.set_mode(command)


async def _serve(path: Path) -> None:
    relay = Relay(path)
    loop = asyncio.get_running_loop()
    await run_modes(
        relay, await loop.create_server(lambda: _Connection(relay), "127.0.0.1", 0, backlog=512)
    )


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(Path(sys.argv[1])))
