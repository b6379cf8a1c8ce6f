from django.db import models
from django.db.models.functions import Cast, Now

_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


class Due(models.Model):
    """A job that is due at a time. One tick claims the row and runs the job once."""

    # The name under which the job is registered in butler.due.jobs.
    job = models.CharField(max_length=64)
    # Null for housekeeping jobs, which belong to no customer.
    customer_id = models.UUIDField(null=True, blank=True)
    # Unique per job: a second row with the same key is not inserted.
    key = models.CharField(max_length=200)
    # The run of the row; null for other jobs, because their keys are not UUIDs. Postgres computes
    # the column, so no statement casts keys: Postgres may evaluate a cast in a join for any row
    # of the table, also for rows that the WHERE clause excludes.
    run_id = models.GeneratedField(
        expression=models.Case(
            models.When(job="run", key__regex=_UUID, then=Cast("key", models.UUIDField()))
        ),
        output_field=models.UUIDField(),
        db_persist=True,
    )
    facts = models.JSONField(default=dict, blank=True)
    due_at = models.DateTimeField()
    # The claim expires at this time, so that a tick that died does not block the row.
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.SmallIntegerField(default=0, db_default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    # The error of the last failed attempt.
    failed_reason = models.TextField(blank=True)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "key"], name="due_once_per_key")]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                condition=models.Q(done_at__isnull=True),
                name="due_in_order",
            )
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.key}"
