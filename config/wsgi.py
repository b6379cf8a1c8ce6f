"""What the web processes run: REST, portal and console."""

import os
from typing import TYPE_CHECKING

from config import counting

if TYPE_CHECKING:
    from config.short_way import Application


def _application() -> "Application":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    counting.together()
    # Only now: counters look for the common folder when they are first imported.
    from django.core.wsgi import get_wsgi_application

    pages = get_wsgi_application()
    from config.checks import refuse_to_start
    from config.short_way import Application, ShortWay

    refuse_to_start()
    return Application(ShortWay(), pages)


application = _application()
