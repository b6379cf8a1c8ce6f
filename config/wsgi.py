"""What the web processes run: REST, portal and console."""

import os
from collections.abc import Iterable
from typing import Any

from config import counting


class Application:
    """The way of the wire for `/v1/`, Django's own for everything else."""

    def __init__(self, wire: Any, pages: Any) -> None:
        self._wire = wire
        self._pages = pages

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        is_wire = environ.get("PATH_INFO", "").startswith("/v1/")
        answer: Iterable[bytes] = (self._wire if is_wire else self._pages)(environ, start_response)
        return answer


def _application() -> Application:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    counting.together()
    # Only now: counters look for the common folder when they are first imported.
    from django.core.wsgi import get_wsgi_application

    pages = get_wsgi_application()
    from config.checks import refuse_to_start
    from config.wire import WireHandler

    refuse_to_start()
    return Application(WireHandler(), pages)


application = _application()
