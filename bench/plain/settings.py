"""What a plain view needs, and nothing between it and the server."""

from config.settings import ALLOWED_HOSTS, DATABASES, DEBUG, SECRET_KEY, USE_TZ

__all__ = ["ALLOWED_HOSTS", "DATABASES", "DEBUG", "SECRET_KEY", "USE_TZ"]

INSTALLED_APPS: list[str] = []
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "bench.plain.urls"
