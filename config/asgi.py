"""The ASGI application of the live processes, which serves only streams (docs/adr/0003)."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from channels.live.asgi import application

__all__ = ["application"]
