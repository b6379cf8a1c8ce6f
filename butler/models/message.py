"""Messages, their deliveries and delivery reports, budgets and provider limits."""

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7


class Message(models.Model):
    """One message to one customer through one channel. The table is the queue and the history."""

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        ACCEPTED = "accepted"
        DELIVERED = "delivered"
        # Final states of messages that were not handed to a provider.
        SUPPRESSED = "suppressed"
        EXPIRED = "expired"
        WITHDRAWN = "withdrawn"
        # Final states of messages that were handed to a provider, or whose attempts failed.
        REJECTED = "rejected"
        FAILED = "failed"
        BOUNCED = "bounced"
        COMPLAINED = "complained"
        # The message may have been sent. Customers and staff see this state.
        UNCERTAIN = "uncertain"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The idempotency key: the run, the step and the channel.
    key = models.CharField(max_length=200)
    customer_id = models.UUIDField()
    run_id = models.UUIDField(null=True)
    automation_id = models.CharField(max_length=64, blank=True)
    version_id = models.BigIntegerField(null=True)
    # The path of the step with the texts in the document of the automation.
    step = models.CharField(max_length=32, blank=True)
    channel = models.CharField(max_length=16)
    message_class = models.CharField(max_length=20)
    topic = models.CharField(max_length=64)
    purpose = models.CharField(max_length=64, blank=True)
    relation = models.CharField(max_length=200, blank=True)
    # From 1 (sent first) to 9.
    priority = models.SmallIntegerField(default=5)
    occurred_at = models.DateTimeField()
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    state_at = models.DateTimeField()
    # The reason of the state: a code of butler.decisions.reasons.catalog, or of the provider.
    reason = models.CharField(max_length=64, blank=True)
    attempts = models.SmallIntegerField(default=0, db_default=0)
    # The values for the texts, stored when the message is queued. Subject and text are stored when
    # it is sent.
    facts = models.JSONField(default=dict)
    language = models.CharField(max_length=8, blank=True)
    address = models.CharField(max_length=1024, blank=True)
    subject = models.TextField(blank=True)
    text = models.TextField(blank=True)
    handed_over_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        # Not `unique=True`, which would create a second, unused index for LIKE.
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
    """One attempt to hand a message to a provider, committed before the provider is called."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted"
        REJECTED = "rejected"
        TRANSIENT = "transient"
        UNCERTAIN = "uncertain"
        # Not sent, because the lease ended too soon.
        RETURNED = "returned"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The constraint delivery_number_once provides the index.
    message = models.ForeignKey(
        Message, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    number = models.SmallIntegerField()
    customer_id = models.UUIDField()
    channel = models.CharField(max_length=16)
    provider = models.CharField(max_length=32)
    # The version of the customer's log that the decision read (a fencing token).
    customer_version = models.BigIntegerField()
    claimed_at = models.DateTimeField()
    # No sender starts to hand the message over after this time, so a withdrawal waits until then
    # at most.
    lease_until = models.DateTimeField()
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)
    provider_id = models.CharField(max_length=200, blank=True)
    code = models.CharField(max_length=64, blank=True)
    detail = models.TextField(blank=True)
    latency_ms = models.IntegerField(null=True, blank=True)
    # The budget windows that it used: [[scope, window], ...]. A failed delivery returns them.
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
    """One delivery report of a provider. Each report is stored once, in any order of arrival."""

    provider = models.CharField(max_length=32)
    event_id = models.CharField(max_length=200)
    # The provider's id of the message, and our id, if the report has them.
    provider_id = models.CharField(max_length=200, blank=True)
    message_id = models.UUIDField(null=True)
    # accepted, delivered, bounced, complained, rejected, deferred, opened, clicked.
    kind = models.CharField(max_length=16)
    detail = models.TextField(blank=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    # Null: the report arrived before its message was known.
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
    """The number of messages to a customer in one window of one budget, counted at the claim."""

    pk = models.CompositePrimaryKey("customer_id", "scope", "window")
    customer_id = models.UUIDField()
    # "*:*", "email:*", "email:offers", "company:marketing".
    scope = models.CharField(max_length=100)
    # In the customer's time zone: "2027-04-18", "2027-W16", "2027-04".
    window = models.CharField(max_length=10)
    used = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.scope} {self.window}: {self.used}"


class ProviderLimit(models.Model):
    """The rate limit of one provider, and its cooldown after failures."""

    # The key of the provider: its channel, or "email:2" for the second provider of a channel.
    channel = models.CharField(primary_key=True, max_length=16)
    # Messages per second; null: no limit.
    rate = models.FloatField(null=True, blank=True)
    tokens = models.FloatField(default=0, db_default=0)
    filled_at = models.DateTimeField(null=True, blank=True)
    # The number of failures in a row. After FAILURE_LIMIT failures, the cooldown begins.
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
