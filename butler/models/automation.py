"""Automations and their versions, pause switches, and the statuses of topics."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from customers.db.append_only import truncate_trigger


class Automation(models.Model):
    """One automation, such as a reminder of a visit. Its versions contain its document."""

    key = models.CharField(primary_key=True, max_length=64)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.key


class AutomationVersion(models.Model):
    """One version of an automation. A run keeps its version, so the document never changes."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        APPROVED = "approved"
        LIVE = "live"
        PAUSED = "paused"
        RETIRED = "retired"

    automation = models.ForeignKey(Automation, on_delete=models.PROTECT, related_name="versions")
    number = models.IntegerField()
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
    # butler.document.AutomationDocument as JSON.
    document = models.JSONField()
    # SHA-256 of the canonical file content, in hex. An equal file keeps its version.
    digest = models.CharField(max_length=64)
    # Copied from the document for SQL: the trigger, its event names, and the awaited event names.
    trigger = models.CharField(max_length=16)
    event_names = ArrayField(models.TextField(), default=list)
    awaited_names = ArrayField(models.TextField(), default=list)
    # The names and the user ids of the author and of the approver, who are different users. No
    # foreign keys, so that the values survive the deletion of a user.
    loaded_by = models.CharField(max_length=100, blank=True)
    loaded_by_login = models.BigIntegerField(null=True, blank=True)
    approved_by = models.CharField(max_length=100, blank=True)
    approved_by_login = models.BigIntegerField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    # Only events after this time start a run.
    live_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["automation", "number"], name="automation_version_number_once"
            ),
            models.UniqueConstraint(
                fields=["automation", "digest"], name="automation_version_content_once"
            ),
            models.UniqueConstraint(
                fields=["automation"],
                condition=models.Q(status__in=("live", "paused")),
                name="automation_one_version_in_use",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="automation_version_is_never_rewritten",
                fields=[
                    "automation",
                    "number",
                    "document",
                    "digest",
                    "trigger",
                    "event_names",
                    "awaited_names",
                    "loaded_by",
                    "loaded_by_login",
                ],
            ),
            pgtrigger.Protect(
                name="automation_version_is_never_deleted", operation=pgtrigger.Delete
            ),
            truncate_trigger("automation_version"),
        ]

    def __str__(self) -> str:
        return f"{self.automation_id} v{self.number}"


class PauseSwitch(models.Model):
    """A switch that stops one automation, or all of them (key "*"), until it is released."""

    key = models.CharField(max_length=64)
    engaged_at = models.DateTimeField()
    engaged_by = models.CharField(max_length=100)
    reason = models.CharField(max_length=200, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name_plural = "pause switches"
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                condition=models.Q(released_at__isnull=True),
                name="pause_switch_engaged_once_per_key",
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} paused"


class TopicStatus(models.Model):
    """The current status of a topic, such as open or down for a ride."""

    # Such as "ride:night-mail".
    key = models.CharField(primary_key=True, max_length=100)
    status = models.CharField(max_length=32)
    facts = models.JSONField(default=dict, blank=True)
    # The number of changes of the status. Each change is one occasion.
    serial = models.BigIntegerField(default=0, db_default=0)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "topic statuses"

    def __str__(self) -> str:
        return f"{self.key} {self.status}"
