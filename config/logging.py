"""Structured logs, one line a request, without personal data.

A line has the request's id, its route (never its path or query), status and milliseconds.
The logs contain no bodies, addresses or tokens. Outside DEBUG they contain no messages of
exceptions either, because a database quotes the rejected values in its messages.
"""

import logging
import re
import sys
import time
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from types import TracebackType
from typing import Any

import orjson
import structlog
from django.http import HttpRequest, HttpResponse
from uuid_utils import uuid7

from config import metrics

_REQUEST_ID = re.compile(r"[\w.-]{8,80}\Z", re.ASCII)
_log = structlog.stdlib.get_logger("butler.request")

type _LogEvent = MutableMapping[str, Any]


class RequestMiddleware:
    """Give each request an id, count it, and log one line about it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        request_id = _request_id(request)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
            duration = time.perf_counter() - started
            self._log_request(request, response, duration)
        finally:
            structlog.contextvars.unbind_contextvars("request_id")
        response["X-Request-ID"] = request_id
        return response

    def _log_request(self, request: HttpRequest, response: HttpResponse, duration: float) -> None:
        route = request.resolver_match.route if request.resolver_match else "none"
        method = request.method if request.method in _METHODS else "OTHER"
        metrics.count_request(response, route=route, method=method, duration=duration)
        # Servers receive thousands of valid batches a second: the metrics count them instead.
        is_routine = response.status_code < 400 and route.startswith(("v1/", "^beacon/v1/"))
        level = logging.DEBUG if is_routine else logging.INFO
        _log.log(
            level,
            "request",
            method=method,
            route=route,
            status=response.status_code,
            ms=round(duration * 1000, 2),
        )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _request_id(request: HttpRequest) -> str:
    """Return the X-Request-ID of the proxy if it is valid, otherwise a new id."""
    header = request.headers.get("X-Request-ID", "")
    return header if _REQUEST_ID.match(header) else uuid7().hex


def configure(settings: Mapping[str, Any]) -> None:
    """Set up logs as JSON lines or as readable lines; Django calls this function."""
    is_readable = settings["is_readable"]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *([] if is_readable else [_remove_exception_messages]),
    ]
    _configure_structlog(shared)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_formatter(shared, is_readable=is_readable))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings["level"])
    _configure_library_loggers()


def _configure_structlog(shared: list[Any]) -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _formatter(shared: list[Any], *, is_readable: bool) -> logging.Formatter:
    render = (
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
        if is_readable
        else structlog.processors.JSONRenderer(serializer=_to_json)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
    )


def _configure_library_loggers() -> None:
    """Route Django's loggers through the root logger, without a second line per request."""
    for name in ("django", "django.server", "granian"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    for name in ("django.request", "django.security.DisallowedHost", "_granian"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # It logs the ids of passkeys.
    logging.getLogger("fido2").setLevel(logging.WARNING)


def _to_json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=lambda value: type(value).__name__).decode()


def _remove_exception_messages(_: Any, __: str, event: _LogEvent) -> _LogEvent:
    """Replace an exception by its type and stack frames, without its message."""
    exc_info = event.pop("exc_info", None)
    if not exc_info:
        return event
    error = exc_info if isinstance(exc_info, BaseException) else None
    if error is None:
        error = exc_info[1] if isinstance(exc_info, tuple) else sys.exception()
    if error is not None:
        event["error"] = type(error).__name__
        event["at"] = _stack_frames(error.__traceback__)
    return event


def _stack_frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace, limit=-12)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
