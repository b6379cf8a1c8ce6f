"""The settings of the minimal view, without middleware."""

from config.settings import ALLOWED_HOSTS, DATABASES, DEBUG, SECRET_KEY, USE_TZ

__all__ = ["ALLOWED_HOSTS", "DATABASES", "DEBUG", "SECRET_KEY", "USE_TZ"]

INSTALLED_APPS: list[str] = []
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "bench.plain.urls"
