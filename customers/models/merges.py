"""Merges of records, and the reviews in which staff decide about a merge."""

from django.db import models
from django.db.models.functions import Now

from customers.models.customer import Customer


class Merge(models.Model):
    """A merge of a record into another record, with its reason and the time of its undo."""

    class Reason(models.TextChoices):
        PROOF = "proof"
        STATEMENT = "statement"
        # Anonymous activity, by the rules of an earlier release.
        CLAIM = "claim"
        STAFF = "staff"
        UNDO = "undo"

    merged_into = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="merges")
    record = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=16, choices=Reason)
    # The links that are evidence, as [{first, second, evidence, kind}] with ids of identifiers.
    links = models.JSONField(default=list)
    actor = models.CharField(max_length=100, blank=True)
    merged_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_reason = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["record"],
                condition=models.Q(undone_at__isnull=True),
                name="merge_one_active_per_record",
            )
        ]

    def __str__(self) -> str:
        return f"{self.record_id} into {self.merged_into_id}"


class Review(models.Model):
    """A question for staff, for cases that Butler must not decide."""

    class Kind(models.TextChoices):
        SUGGESTED_MERGE = "suggested_merge"
        IDENTIFIER_LIMIT = "identifier_limit"
        OTHER_CONTENT = "other_content"
        # Events with an order number that fits several orders: they change none of them.
        ORDER_NUMBER = "order_number"

    class Status(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        DECLINED = "declined"

    kind = models.CharField(max_length=24, choices=Kind)
    first = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="reviews")
    second = models.ForeignKey(
        Customer, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    # The evidence, such as {"claimed": identifier id, "verified": identifier id}.
    details = models.JSONField(default=dict)
    status = models.CharField(max_length=16, choices=Status, default=Status.OPEN)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "first", "second"],
                nulls_distinct=False,
                name="review_asked_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"
