"""The Celery application. Its tasks only notify workers of rows in Postgres.

A lost task loses no work: the next tick finds the row.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("butler")
app.config_from_object("config.celery_settings")
app.autodiscover_tasks()
