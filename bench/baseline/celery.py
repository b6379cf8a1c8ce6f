"""The Celery application of the baseline, with Celery's default settings."""

import os

import django
from celery import Celery

from config import service_urls

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.baseline.settings")
django.setup()

app = Celery("baseline", broker=service_urls.broker_url(os.environ["REDIS_URL"]))
app.conf.task_default_queue = "baseline"
app.conf.task_ignore_result = True
app.autodiscover_tasks(["bench.baseline"], force=True)
