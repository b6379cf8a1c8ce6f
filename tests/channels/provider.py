"""A simulated SMS provider on this machine, with Twilio's API and webhooks and chosen failures.

tests/channels/sms uses the official client and the official validator against it.
"""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode
from urllib.request import Request, urlopen

from twilio.request_validator import RequestValidator

SID = "AC" + "0" * 32
TOKEN = "token-of-an-invented-account"


class Provider:
    """A server that takes messages, or fails by its `mode`:

    ok · stopped (21610) · invalid (21211) · busy (429) · wrong_key (401) · broken (500) ·
    hang (takes the message and never answers) · drop (takes it and closes the connection) ·
    drip (the response never ends) · odd (201 with a body that is not JSON)
    """

    def __init__(self) -> None:
        self.mode = "ok"
        self.messages: list[dict[str, str]] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.provider = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def report(self, base: str, message: dict[str, str], status: str, **more: str) -> int:
        """Send a status callback of the message, and return the HTTP status of the response."""
        path = message["StatusCallback"].partition("/v1/")[2]
        fields = {"MessageSid": message["Sid"], "AccountSid": SID, "MessageStatus": status, **more}
        return call(f"{base}/v1/{path}", fields)[0]

    def take(self, form: dict[str, str]) -> dict[str, str]:
        sid = f"SM{len(self.messages):032x}"
        self.messages.append({**form, "Sid": sid})
        return {"sid": sid, "status": "queued", "to": form["To"], "body": form["Body"]}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"
    refusals: ClassVar = {
        "stopped": (400, 21610, "Attempt to send to unsubscribed recipient"),
        "invalid": (400, 21211, "The 'To' number is not valid"),
        "busy": (429, 20429, "Too Many Requests"),
        "wrong_key": (401, 20003, "Authenticate"),
        "broken": (500, 20500, "Internal Server Error"),
    }

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        form = dict(parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True))
        mode = self.server.provider.mode
        if self.headers["Authorization"] != _basic():
            self._refuse(401, 20003, "Authenticate")
        elif mode in self.refusals:
            self._refuse(*self.refusals[mode])
        else:
            self._take(mode, self.server.provider.take(form))

    def _take(self, mode: str, fields: dict[str, str]) -> None:
        self.close_connection = mode in {"drop", "hang", "drip"}
        if mode == "hang":
            self.server.provider.ended.wait(30)
        elif mode == "drip":
            self._drip()
        elif mode != "drop":
            self._answer(201, b"<html>" if mode == "odd" else json.dumps(fields).encode())

    def _drip(self) -> None:
        self.send_response(201)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        while not self.server.provider.ended.wait(0.1):
            self.wfile.write(b" ")

    def _refuse(self, status: int, code: int, message: str) -> None:
        self._answer(status, json.dumps({"code": code, "message": message}).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "7")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Log no requests."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    provider: Provider

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors of closed connections, because clients may close them at any time."""


def call(url: str, fields: dict[str, str], *, token: str = TOKEN) -> tuple[int, str]:
    """Send a signed form as the provider does; return the status and the body of the response."""
    signature = RequestValidator(token).compute_signature(url, fields)
    request = Request(url, urlencode(fields).encode(), {"X-Twilio-Signature": signature})
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def _basic() -> str:
    return "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
