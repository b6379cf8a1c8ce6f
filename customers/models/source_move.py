from django.db import models
from django.db.models.functions import Now

from customers.models.source import Source, Space


class SourceMove(models.Model):
    """A source that got another space, and how far a job has grouped its customers again."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    # The space that the source moved to.
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # The last identifier that is grouped again, and the last one that the move concerns: null until
    # the first batch. Later identifiers follow the new space from the start.
    last_grouped = models.BigIntegerField(default=0)
    last_concerned = models.BigIntegerField(null=True, blank=True)
    grouped_numbers = models.BigIntegerField(default=0)
    split_records = models.BigIntegerField(default=0)
    joined_records = models.BigIntegerField(default=0)
    # The next batch waits until then after an error, whose name the failure holds.
    retry_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=100, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(finished_at__isnull=True),
                name="source_move_unfinished",
            )
        ]

    def __str__(self) -> str:
        return f"source {self.source_id} to space {self.space_id}"

    @property
    def percent(self) -> int:
        """The part of the numbers that is grouped again, estimated by the ids of identifiers."""
        if self.finished_at:
            return 100
        return min(99, 100 * self.last_grouped // (self.last_concerned or 1))
