"""Serves the page of a shop on an origin of its own, with the files of a client for browsers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _PageServer(ThreadingHTTPServer):
    def __init__(self, page: str, client: Path, port: int) -> None:
        super().__init__(("127.0.0.1", port), _PageRequest)
        self.page = page.encode()
        self.client = client


class _PageRequest(BaseHTTPRequestHandler):
    server: _PageServer

    def do_GET(self) -> None:
        file = self.server.client / self.path.removeprefix("/client/")
        is_file = self.path.startswith("/client/") and file.is_file()
        body = file.read_bytes() if is_file else self.server.page
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if is_file else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Write no lines between those of the test."""


@contextmanager
def serve_page(page: str, client: Path, port: int = 0) -> Iterator[str]:
    """Serve the page at every path, and the files of the client below /client/. Yield the URL.

    port: 0 for a free one
    """
    with _PageServer(page, client, port) as server, ThreadPoolExecutor(1) as pool:
        pool.submit(server.serve_forever)
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
