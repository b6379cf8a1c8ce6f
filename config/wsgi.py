"""What the web processes run: REST, portal and console."""

import os

from django.core.handlers.wsgi import WSGIHandler

from config import counting


def _application() -> WSGIHandler:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    counting.together()
    # Only now: counters look for the common folder when they are first imported.
    from django.core.wsgi import get_wsgi_application

    handler = get_wsgi_application()
    from config.checks import refuse_to_start

    refuse_to_start()
    return handler


application = _application()
