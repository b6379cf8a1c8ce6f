"""What the web processes run: REST, portal and console."""

import os
from collections.abc import Iterable
from typing import Any

from config import counting


class Application:
    """The short way for programs that show a key, Django's own for everybody else."""

    def __init__(self, programs: Any, pages: Any) -> None:
        self._programs = programs
        self._pages = pages

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        shows_key = path.startswith("/api/") and "HTTP_AUTHORIZATION" in environ
        handler = self._programs if shows_key or path.startswith("/v1/") else self._pages
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
