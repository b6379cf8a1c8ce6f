"""A test client that enters where a server does: through the WSGI application."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http import HttpResponse
from django.test import Client

from config.api_handler import ApiHandler, RoutingApplication


@cache
def application() -> RoutingApplication:
    """Return what the web processes run, without their metrics, which a process has once."""
    return RoutingApplication(ApiHandler(), WSGIHandler())


class WsgiClient(Client):
    """Django's test client, whose requests pass the whole application and come back as bytes."""

    def __init__(self, **defaults: Any) -> None:
        super().__init__(**defaults)
        self.handler = _send


@contextmanager
def _open_connections() -> Iterator[None]:
    """Leave the database connection open between requests: a test is in its transaction."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    try:
        yield
    finally:
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)


def _send(environ: dict[str, Any]) -> HttpResponse:
    body = environ["wsgi.input"].read()
    environ = {**environ, "wsgi.input": BytesIO(body), "wsgi.errors": BytesIO()}
    status_line, headers = "", []

    def start_response(status: str, response_headers: list[tuple[str, str]], _: Any = None) -> None:
        nonlocal status_line, headers
        status_line, headers = status, response_headers

    with _open_connections():
        answer = application()(environ, start_response)
        try:
            response: Any = HttpResponse(b"".join(answer), status=int(status_line.split(" ")[0]))
        finally:
            answer.close()
    del response["Content-Type"]
    for name, value in headers:
        if name == "Set-Cookie":
            response.cookies.load(value)
        else:
            response[name] = value
    # Django's client looks at the request, which the application keeps to itself.
    response.wsgi_request = WSGIRequest({**environ, "wsgi.input": BytesIO(body)})
    return response
