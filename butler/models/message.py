"""One thing we say, its attempts to arrive, and what came back."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7


class Message(models.Model):
    """One thing we say to one customer through one channel. The queue, and the memory of it."""

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        ACCEPTED = "accepted"
        DELIVERED = "delivered"
        # Ends without having been handed over.
        SUPPRESSED = "suppressed"
        EXPIRED = "expired"
        WITHDRAWN = "withdrawn"
        # Ends after having been handed over, or tried.
        REJECTED = "rejected"
        FAILED = "failed"
        BOUNCED = "bounced"
        COMPLAINED = "complained"
        # Handed over perhaps. Shown to people, never hidden.
        UNCERTAIN = "uncertain"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # What makes it one: the same step of the same run through the same channel.
    key = models.CharField(max_length=200)
    customer_id = models.UUIDField()
    run_id = models.UUIDField(null=True)
    automation_id = models.CharField(max_length=64, blank=True)
    version_id = models.BigIntegerField(null=True)
    # The place of its step in the automation's document: where its texts are.
    step = models.CharField(max_length=32, blank=True)
    channel = models.CharField(max_length=16)
    message_class = models.CharField(max_length=20)
    topic = models.CharField(max_length=64)
    purpose = models.CharField(max_length=64, blank=True)
    relation = models.CharField(max_length=200, blank=True)
    # 1 goes first.
    priority = models.SmallIntegerField(default=5)
    occurred_at = models.DateTimeField()
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    state_at = models.DateTimeField()
    # Why it is where it is: a code of butler.decisions.reasons.catalog, or of the provider.
    reason = models.CharField(max_length=64, blank=True)
    attempts = models.SmallIntegerField(default=0, db_default=0)
    # What the words are made of, gathered when it was judged; what is said, when it left.
    facts = models.JSONField(default=dict)
    language = models.CharField(max_length=8, blank=True)
    address = models.CharField(max_length=1024, blank=True)
    subject = models.TextField(blank=True)
    text = models.TextField(blank=True)
    handed_over_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        # Not `unique=True`: that makes a second index, for searches that nobody does.
        constraints = [models.UniqueConstraint(fields=["key"], name="message_once_per_key")]
        indexes = [
            models.Index(
                fields=["channel", "priority", "not_before", "id"],
                condition=Q(state="queued"),
                name="message_in_order",
            ),
            models.Index(fields=["customer_id", "-created_at"], name="message_of_customer"),
            models.Index(
                fields=["run_id"], condition=Q(run_id__isnull=False), name="message_of_run"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.state}"


class Delivery(models.Model):
    """One attempt to hand a message over: written and committed before the provider is called."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted"
        REJECTED = "rejected"
        TRANSIENT = "transient"
        UNCERTAIN = "uncertain"
        # Given back unsent: too late for its lease.
        RETURNED = "returned"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Found by delivery_number_once.
    message = models.ForeignKey(
        Message, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    number = models.SmallIntegerField()
    customer_id = models.UUIDField()
    channel = models.CharField(max_length=16)
    provider = models.CharField(max_length=32)
    # The version of the customer's log at which it was decided: the fence.
    customer_version = models.BigIntegerField()
    claimed_at = models.DateTimeField()
    # Nobody starts to hand over after the lease, so a withdrawal waits no longer than this.
    lease_until = models.DateTimeField()
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)
    provider_id = models.CharField(max_length=200, blank=True)
    code = models.CharField(max_length=64, blank=True)
    detail = models.TextField(blank=True)
    latency_ms = models.IntegerField(null=True, blank=True)
    # The budget windows that it used, returned if it fails: [[scope, window], ...].
    budget_windows = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["message", "number"], name="delivery_number_once"),
            models.UniqueConstraint(
                fields=["message"], condition=Q(outcome=""), name="delivery_one_in_flight"
            ),
        ]
        indexes = [
            models.Index(fields=["lease_until"], condition=Q(outcome=""), name="delivery_open"),
            models.Index(fields=["customer_id"], condition=Q(outcome=""), name="delivery_in_hand"),
            models.Index(
                fields=["provider", "provider_id"],
                condition=~Q(provider_id=""),
                name="delivery_by_provider_id",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} #{self.number} {self.outcome or 'in hand'}"


class DeliveryReceipt(models.Model):
    """What a provider reported of a message, once per report, in whatever order they come."""

    provider = models.CharField(max_length=32)
    event_id = models.CharField(max_length=200)
    # How the provider calls the message, and how we do, as far as the report says.
    provider_id = models.CharField(max_length=200, blank=True)
    message_id = models.UUIDField(null=True)
    # accepted, delivered, bounced, complained, rejected, deferred, opened, clicked.
    kind = models.CharField(max_length=16)
    detail = models.TextField(blank=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    # Null: it came before what it is about was known.
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="delivery_receipt_once")
        ]
        indexes = [
            models.Index(
                fields=["provider", "provider_id"],
                condition=Q(applied_at__isnull=True),
                name="delivery_receipt_waiting",
            ),
            models.Index(
                fields=["message_id"],
                condition=Q(message_id__isnull=False),
                name="delivery_receipt_of_message",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind}"


class BudgetUse(models.Model):
    """How many messages a customer had in one window of one budget. Counted when they leave."""

    pk = models.CompositePrimaryKey("customer_id", "scope", "window")
    customer_id = models.UUIDField()
    # "*:*", "email:*", "email:offers", "company:marketing".
    scope = models.CharField(max_length=100)
    # Local to the customer: "2027-04-18", "2027-W16", "2027-04".
    window = models.CharField(max_length=10)
    used = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.scope} {self.window}: {self.used}"


class ProviderLimit(models.Model):
    """How fast messages may go through one provider, and whether it is in its cooldown."""

    # The key of the provider: its channel, or "email:2" for the second provider of a channel.
    channel = models.CharField(primary_key=True, max_length=16)
    # Messages a second; null: no limit.
    rate = models.FloatField(null=True, blank=True)
    tokens = models.FloatField(default=0, db_default=0)
    filled_at = models.DateTimeField(null=True, blank=True)
    # Failures in a row; after a few, the cooldown begins.
    failures = models.IntegerField(default=0, db_default=0)
    cooldown_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rate__gt=0),
                name="provider_limit_rate_is_positive",
                violation_error_message="Above 0, or empty for no limit. A switch stops it.",
            )
        ]

    def __str__(self) -> str:
        return self.channel
