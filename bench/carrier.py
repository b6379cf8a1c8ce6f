"""An SMS carrier with the API of Twilio: accepts messages and posts status callbacks.

python -m bench.carrier FILE has the modes of bench.sink; in the mode "refuse" it answers 429. It
sends "delivered" twice, once before "sent", and repeats each callback until it is acknowledged. It
also sends callbacks for messages whose sender got no answer.
"""

import asyncio
import itertools
import random
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from twilio.request_validator import RequestValidator

from bench.sink import SLOWEST_ANSWER, Relay, Sink, hash_body, run_modes

_ACCOUNT, _TOKEN = "ACc4a05", "not-a-secret"
_NUMBER = "+3197000000"
_CALLBACK_STATUSES = ("delivered", "sent", "delivered")
# Seconds for which the carrier repeats a callback.
_CALLBACK_SECONDS = 90.0


class Carrier(Sink):
    """A carrier in a separate process."""

    module: ClassVar = "bench.carrier"

    @property
    def url(self) -> str:
        """The address of this carrier for SMS_URL, with account, token and sender."""
        sender = urlencode({"from": _NUMBER})
        return f"twilio+http://{_ACCOUNT}:{_TOKEN}@127.0.0.1:{self.port}?{sender}"

    def acknowledged_callbacks(self) -> set[str]:
        """Return the ids of the messages for which Butler acknowledged all status callbacks."""
        log = _callback_log(self.path)
        return set(log.read_text().split()) if log.exists() else set()


def _callback_log(path: Path) -> Path:
    return path.with_suffix(".callbacks")


class _Server:
    """Accepts messages over HTTP, answers, and sends their status callbacks."""

    def __init__(self, path: Path) -> None:
        self.relay = Relay(path)
        self.callback_log = _callback_log(path).open("a", buffering=1)
        self.numbers = itertools.count(1)
        self.callbacks: set[asyncio.Task[None]] = set()
        self.validator = RequestValidator(_TOKEN)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it ends or the mode closes it."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.partition("content-length:")[2].split()[0])
                form = dict(parse_qsl((await reader.readexactly(length)).decode()))
                if not await self._answer(form, writer):
                    break
        writer.transport.abort()

    async def _answer(self, form: dict[str, str], writer: asyncio.StreamWriter) -> bool:
        mode = self.relay.next_mode()
        if mode == "cut":
            return False
        if mode == "refuse":
            _respond(writer, "429 Too Many Requests", "Retry-After: 1\r\n", '{"code": 20429}')
            return True
        sid = f"SM{next(self.numbers):032d}"
        self._receive_message(form, sid, is_acknowledged=mode != "drop")
        if mode == "drop":
            return False
        if mode == "slow":
            await asyncio.sleep(random.uniform(0, SLOWEST_ANSWER))
        _respond(writer, "201 Created", "", f'{{"sid": "{sid}", "status": "queued"}}')
        return True

    def _receive_message(self, form: dict[str, str], sid: str, *, is_acknowledged: bool) -> None:
        query = parse_qs(urlsplit(form["StatusCallback"]).query)
        topic, _, subject = form["Body"].splitlines()[0].partition(" ")
        fields = (query["message"][0], form["To"], topic, subject)
        body = hash_body(form["Body"].encode())
        self.relay.write(
            [*(field.encode() for field in fields), body], is_acknowledged=is_acknowledged
        )
        task = asyncio.create_task(self._send_callbacks(form["StatusCallback"], sid, fields[0]))
        self.callbacks.add(task)
        task.add_done_callback(self.callbacks.discard)

    async def _send_callbacks(self, url: str, sid: str, message: str) -> None:
        deadline = time.monotonic() + _CALLBACK_SECONDS
        for status in _CALLBACK_STATUSES:
            fields = {"AccountSid": _ACCOUNT, "MessageSid": sid, "MessageStatus": status}
            signature = self.validator.compute_signature(url, fields)
            while not await asyncio.to_thread(_post, url, fields, signature):
                if time.monotonic() > deadline:
                    return
                await asyncio.sleep(0.5)
        self.callback_log.write(f"{message}\n")


def _post(url: str, fields: dict[str, str], signature: str) -> bool:
    request = urllib.request.Request(
        url, urlencode(fields).encode(), {"X-Twilio-Signature": signature}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(answer.status < 300)
    except OSError:
        return False


def _respond(writer: asyncio.StreamWriter, status: str, headers: str, body: str) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())


async def _serve(path: Path) -> None:
    server = _Server(path)
    await run_modes(server.relay, await asyncio.start_server(server.serve, "127.0.0.1", 0))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(Path(sys.argv[1])))
