"""What the web processes run: REST, portal and console."""

import os
from collections.abc import Iterable
from typing import Any

from config import counting

# What nobody shows a key for: it opens a session, speaks the reader's language or is a page.
# A header of a proxy or of another API does not change how these are answered.
WITHOUT_KEY = ("/api/sign-in/", "/api/docs/", "/api/schema/")


def is_of_program(environ: dict[str, Any]) -> bool:
    """Tell whether a request shows a key, or is for where only keys and signatures count."""
    path = environ.get("PATH_INFO", "")
    if path.startswith("/v1/"):
        return True
    scheme = environ.get("HTTP_AUTHORIZATION", "").partition(" ")[0].lower()
    is_key = scheme in ("basic", "bearer")
    return is_key and path.startswith("/api/") and not path.startswith(WITHOUT_KEY)


# No content type is longer; one that is makes Django fail before anything can answer.
MAX_CONTENT_TYPE = 1000


def _replace_unreadable(environ: dict[str, Any]) -> None:
    """Replace headers on which their readers fail by ones that they refuse."""
    if len(environ.get("CONTENT_TYPE", "")) > MAX_CONTENT_TYPE:
        environ["CONTENT_TYPE"] = "application/octet-stream"
    token = environ.get("HTTP_X_SESSION_TOKEN", "")
    # Postgres takes no NUL, not even to look for it.
    if token and not (token.isascii() and token.isalnum()):
        environ["HTTP_X_SESSION_TOKEN"] = "-"


class Application:
    """The short way for programs that show a key, Django's own for everybody else."""

    def __init__(self, programs: Any, pages: Any) -> None:
        self._programs = programs
        self._pages = pages

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        _replace_unreadable(environ)
        handler = self._programs if is_of_program(environ) else self._pages
        answer: Iterable[bytes] = handler(environ, start_response)
        return answer


def _application() -> Application:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    counting.together()
    # Only now: counters look for the common folder when they are first imported.
    from django.core.wsgi import get_wsgi_application

    pages = get_wsgi_application()
    from config.checks import refuse_to_start
    from config.short_way import ShortWay

    refuse_to_start()
    return Application(ShortWay(), pages)


application = _application()
