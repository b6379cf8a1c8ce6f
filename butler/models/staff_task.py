from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7


class StaffTask(models.Model):
    """A task of staff for a customer, such as a phone call."""

    class Kind(models.TextChoices):
        PHONE = "phone"
        REPLY = "reply"
        UNCERTAIN = "uncertain"
        # A change of an address that needs a colleague.
        ADDRESS = "address"
        TICKET = "ticket"

    class Outcome(models.TextChoices):
        REACHED = "reached"
        NOT_REACHED = "not_reached"
        DROPPED = "dropped"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The idempotency key of the task, such as the key of the message that the task replaces.
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
