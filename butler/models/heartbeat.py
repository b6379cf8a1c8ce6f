from django.db import models


class Heartbeat(models.Model):
    """The last heartbeat of a part of the system that is monitored."""

    # "worker": a Celery worker that ran a task and wrote to the database.
    name = models.CharField(primary_key=True, max_length=32)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
