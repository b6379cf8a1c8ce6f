"""The runs of automations, and the decisions."""

from django.db import models
from uuid_utils.compat import uuid7

from butler.models.automation import Automation, AutomationVersion
from customers.db.append_only import append_only_triggers


class Run(models.Model):
    """One run of an automation for one customer and one occasion. Each occasion has one run."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        COMPLETED = "completed"
        CANCELLED = "cancelled"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # No index: no query searches by automation or version, and an index would slow down inserts.
    automation = models.ForeignKey(
        Automation, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    version = models.ForeignKey(
        AutomationVersion, on_delete=models.PROTECT, related_name="runs", db_index=False
    )
    customer_id = models.UUIDField()
    # The key of the occasion: the message key of an event, "order:A-1001", "2027-04-18"...
    occasion = models.CharField(max_length=200)
    # The cause: {"log", "version", "about", "name", "occurred_at"}, or a date, or a topic.
    cause = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=Status, default=Status.WAITING)
    # The path of the current step, such as "2" or "2.then.0".
    step = models.CharField(max_length=32, default="0")
    # The name of the event that resumes the run before its due time. Empty: none.
    awaited = models.TextField(blank=True)
    awaited_about = models.TextField(blank=True)
    # The time of the awaited event, set in the transaction of that event.
    arrived_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer_id", "automation", "occasion"], name="run_once_per_occasion"
            )
        ]
        indexes = [
            models.Index(
                fields=["customer_id", "awaited"],
                # Ended runs have no awaited event. The condition does not use `status`, because
                # then Postgres could not make HOT updates of the status.
                condition=~models.Q(awaited=""),
                name="run_awaits",
            )
        ]

    def __str__(self) -> str:
        return f"{self.automation_id} {self.occasion}"


class Decision(models.Model):
    """One decision, with the gate of every check. Rows are never changed."""

    class Outcome(models.TextChoices):
        SEND = "send"
        DEFER = "defer"
        SKIP = "skip"
        PERSON = "person"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    customer_id = models.UUIDField()
    run_id = models.UUIDField(null=True)
    message_id = models.UUIDField(null=True)
    automation_id = models.CharField(max_length=64, blank=True)
    # "judge": when the run decides; "claim": in the transaction that claims the message.
    stage = models.CharField(max_length=8)
    outcome = models.CharField(max_length=8, choices=Outcome)
    # The code of the reason that decided: butler.decisions.reasons.catalog.
    code = models.CharField(max_length=48)
    # The act: {"class", "topic", "channel", "purpose", "relation"}.
    act = models.JSONField()
    # The gates, in order: [{"gate", "verdict", "code", "evidence": [...], "inputs": {...}}].
    gates = models.JSONField()
    until = models.DateTimeField(null=True)
    # The versions of the customer's log and of the rules.
    customer_version = models.BigIntegerField()
    rules_version = models.CharField(max_length=64)
    decided_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["customer_id", "-decided_at"], name="decision_of_customer")]
        triggers = append_only_triggers("decision")

    def __str__(self) -> str:
        return f"{self.outcome} {self.code}"
