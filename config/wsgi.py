"""The WSGI application of the web processes: REST, portal and console."""

import os
from typing import TYPE_CHECKING

from config import metrics_directory

if TYPE_CHECKING:
    from config.api_handler import RoutingApplication


def _create_application() -> "RoutingApplication":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    metrics_directory.use_shared_directory()
    # Imported after the line above: counters read the directory when they are first imported.
    from django.core.wsgi import get_wsgi_application

    pages = get_wsgi_application()
    from config.api_handler import ApiHandler, RoutingApplication
    from config.checks import refuse_to_start

    refuse_to_start()
    return RoutingApplication(ApiHandler(), pages)


application = _create_application()
