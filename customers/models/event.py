from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Value
from django.db.models.functions import Now

from customers.db.append_only import append_only_triggers
from customers.models.customer import Customer
from customers.models.identifier import Evidence
from customers.models.source import Source


class Event(models.Model):
    """One event, at its place on a customer's log. Its rows never change.

    The references have no database constraints, because checking them row by row takes longer than
    storing the event. The writer holds the lock of the customer.
    """

    pk = models.CompositePrimaryKey("customer_id", "version")
    customer = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    version = models.BigIntegerField()
    # The record that the event was filed on, if it is not the owner of the log. Undoing a
    # merge needs it (docs/adr/0008).
    origin = models.ForeignKey(
        Customer,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
    )
    source = models.ForeignKey(
        Source, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    message_id = models.TextField()
    # The digest of source, key class and message id. It is unique, so no message is stored twice.
    message_key = models.UUIDField(unique=True)
    body_hash = models.UUIDField()
    kind = models.CharField(max_length=16)
    name = models.TextField(blank=True)
    # The subject, such as "order:A-1001"; empty for most events.
    about = models.TextField(blank=True)
    evidence = models.SmallIntegerField(choices=Evidence)
    actor = models.TextField(blank=True)
    identifier_ids = ArrayField(models.BigIntegerField())
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    # The order of events with the same time (customers.events.arrival). It is null in rows that are
    # older than the column; the SQL function customers_arrival_number returns the number of each.
    arrival = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    body = models.JSONField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(version__gt=0), name="event_version_counts_from_one"
            )
        ]
        indexes = [
            models.Index(
                fields=["customer", "about"],
                condition=~models.Q(about=""),
                name="event_about",
            ),
            # Pages show a timeline by time; version breaks ties.
            models.Index(fields=["customer", "occurred_at", "version"], name="event_by_time"),
            models.Index(
                fields=["origin"],
                condition=models.Q(origin__isnull=False),
                name="event_of_joined_record",
            ),
        ]
        triggers = append_only_triggers("event")

    def __str__(self) -> str:
        return f"{self.customer_id}@{self.version} {self.name or self.kind}"


class RefiledEvent(models.Model):
    """The record that an event is filed on now, if it is not the one that it was written with.

    The function customers_filed_events is the rule for all readers (migration 0022).
    """

    pk = models.CompositePrimaryKey("customer_id", "version")
    # The place of the event on its log. There are no database constraints, as in Event.
    customer = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    version = models.BigIntegerField()
    record = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, db_constraint=False, related_name="refiled_events"
    )
    reason = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=100, blank=True)
    refiled_at = models.DateTimeField()
    # The re-filings before this one, the latest last: [{record_id, reason, actor, refiled_at}].
    earlier = models.JSONField(default=list, db_default=Value([], models.JSONField()))

    def __str__(self) -> str:
        return f"{self.customer_id}@{self.version} on {self.record_id}"
