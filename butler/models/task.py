from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7


class Task(models.Model):
    """Something for a person to do for a customer, such as to call."""

    class Kind(models.TextChoices):
        PHONE = "phone"
        REPLY = "reply"
        UNCERTAIN = "uncertain"

    class Outcome(models.TextChoices):
        REACHED = "reached"
        NOT_REACHED = "not_reached"
        DROPPED = "dropped"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # What makes it one, such as the message it stands for.
    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=16, choices=Kind)
    customer_id = models.UUIDField()
    message_id = models.UUIDField(null=True, blank=True)
    automation_id = models.CharField(max_length=64, blank=True)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    due_at = models.DateTimeField()
    taken_by = models.CharField(max_length=100, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(done_at__isnull=True), name="task_open"),
            models.Index(fields=["customer_id", "-created_at"], name="task_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.title}"


class Pulse(models.Model):
    """The last sign of life of something that must not die silently."""

    # "worker": a task that a worker really ran.
    name = models.CharField(primary_key=True, max_length=32)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
