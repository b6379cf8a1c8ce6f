from django.db import models
from django.db.models.functions import Cast, Now

_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


class Due(models.Model):
    """A job that is due at a time. One tick claims the row and runs the job once."""

    # The name under which the job is registered in butler.due.jobs.
    job = models.CharField(max_length=64)
    # Null for housekeeping that concerns no single customer.
    customer_id = models.UUIDField(null=True, blank=True)
    # Unique per job: a second row with the same key is not inserted.
    key = models.CharField(max_length=200)
    # The run that the row is about; null for other jobs, whose keys are no UUIDs. Postgres
    # computes it for every writer, so that no statement has to cast keys: a cast in a join can
    # be evaluated for any row of the table, whatever the WHERE clause says.
    run_id = models.GeneratedField(
        expression=models.Case(
            models.When(job="run", key__regex=_UUID, then=Cast("key", models.UUIDField()))
        ),
        output_field=models.UUIDField(),
        db_persist=True,
    )
    facts = models.JSONField(default=dict, blank=True)
    due_at = models.DateTimeField()
    # The claim lapses at this time, so that a tick that died blocks nothing.
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.SmallIntegerField(default=0, db_default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    # Why it was given up, after its last attempt.
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
