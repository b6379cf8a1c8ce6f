"""Celery only notifies: a task names a row in Postgres, and may be lost at any time."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("butler")
app.config_from_object("config.celery_settings")
app.autodiscover_tasks()
