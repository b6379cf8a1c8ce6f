"""An automation at work for one customer, and what was decided on the way."""

from django.db import models
from uuid_utils.compat import uuid7

from butler.models.automation import Automation, AutomationVersion
from customers.db.append_only import append_only_triggers


class Run(models.Model):
    """One automation for one customer on one occasion. It happens once."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        CANCELLED = "cancelled"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Nothing looks for the runs of an automation or of a version: each index would cost every run.
    automation = models.ForeignKey(
        Automation, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    version = models.ForeignKey(
        AutomationVersion, on_delete=models.PROTECT, related_name="runs", db_index=False
    )
    customer_id = models.UUIDField()
    # What makes it one: the event's key, "order:A-1001", "2027-04-18"...
    occasion = models.CharField(max_length=200)
    # What the trigger knew: {"log", "version", "about", "name", "occurred_at"}, or a date, a topic.
    cause = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=Status, default=Status.WAITING)
    # The place in the steps, such as "2" or "2.then.0".
    step = models.CharField(max_length=32, default="0")
    # The event that takes it on before its time; empty: only time does.
    awaited = models.TextField(blank=True)
    awaited_about = models.TextField(blank=True)
    # Set by the awaited event, in that event's own transaction.
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
                # Who ended awaits nothing. Were the status asked here, no change of it could stay
                # on its page, and each would be written to every index.
                condition=~models.Q(awaited=""),
                name="run_awaits",
            )
        ]

    def __str__(self) -> str:
        return f"{self.automation_id} {self.occasion}"


class Decision(models.Model):
    """What was decided once, with every gate that was asked. Never changed."""

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
    # "judge": when the occasion came; "claim": in the transaction that hands over.
    stage = models.CharField(max_length=8)
    outcome = models.CharField(max_length=8, choices=Outcome)
    # The code of the reason that decided: butler.decisions.reasons.catalog.
    code = models.CharField(max_length=48)
    # What it would have been: {"class", "topic", "channel", "purpose", "relation"}.
    act = models.JSONField()
    # Each gate asked, in order: [{"gate", "verdict", "code", "evidence": [...], "inputs": {...}}].
    gates = models.JSONField()
    until = models.DateTimeField(null=True)
    # How far the customer's log and the company's rules were.
    customer_version = models.BigIntegerField()
    rules_version = models.CharField(max_length=64)
    decided_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["customer_id", "-decided_at"], name="decision_of_customer")]
        triggers = append_only_triggers("decision")

    def __str__(self) -> str:
        return f"{self.outcome} {self.code}"
