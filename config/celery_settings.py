"""The settings of Celery, which `config.celery` reads by these names."""

from django.conf import settings

from config import service_urls

broker_url = service_urls.broker_url(settings.REDIS_URL)
timezone = "UTC"
task_acks_late = True
task_reject_on_worker_lost = True
task_ignore_result = True
task_serializer = "json"
accept_content = ["json"]
worker_prefetch_multiplier = 1
worker_soft_shutdown_timeout = 10
worker_hijack_root_logger = False
broker_connection_retry_on_startup = True
# Redis gives a task to a second worker after the visibility timeout, so tasks end before it.
task_time_limit = 30
broker_transport_options = {
    "visibility_timeout": 60,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "health_check_interval": 10,
}
visibility_timeout = 60
result_backend_transport_options = {"visibility_timeout": 60}
beat_schedule = {
    "tick": {"task": "butler.tick", "schedule": 1.0, "options": {"expires": 2}},
    # The worker that runs it writes a row, which shows that workers take tasks.
    "heartbeat": {"task": "butler.heartbeat", "schedule": 15.0, "options": {"expires": 15}},
    "deliver_all": {"task": "channels.deliver_all", "schedule": 2.0, "options": {"expires": 4}},
}
