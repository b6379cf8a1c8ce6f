"""Models of consent: publications, the append-only ledger, and the consent states."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from customers.db.append_only import append_only_triggers
from customers.models.customer import Customer


class Purpose(models.Model):
    """A purpose that customers can consent to or refuse, such as offers by mail."""

    class Kind(models.TextChoices):
        CONTACT = "contact"
        USE = "use"

    key = models.CharField(primary_key=True, max_length=64)
    kind = models.CharField(max_length=8, choices=Kind)
    # By language: {"en": {"name", "description"}, ...}.
    texts = models.JSONField(default=dict)
    # The term of the Data Privacy Vocabulary (DPV), if there is one.
    dpv = models.CharField(max_length=200, blank=True)
    # Fields of ISO/IEC TS 27560 for all ledger entries about this purpose: data_categories,
    # processing, recipients, storage, retention.
    details = models.JSONField(default=dict, blank=True)
    position = models.SmallIntegerField(default=0, db_default=0)
    is_offered = models.BooleanField(default=True, db_default=True)

    def __str__(self) -> str:
        return self.key


class Topic(models.Model):
    """A topic of messages, which customers can follow or mute."""

    key = models.CharField(primary_key=True, max_length=64)
    texts = models.JSONField(default=dict)
    position = models.SmallIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return self.key


class Notice(models.Model):
    """The exact text that a consent refers to, in one language. Its rows never change."""

    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="notices")
    version = models.IntegerField()
    language = models.CharField(max_length=8)
    text = models.TextField()
    # SHA-256 of the text in UTF-8, in hex.
    digest = models.CharField(max_length=64)
    published_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "version", "language"], name="notice_once_per_language"
            )
        ]
        triggers = append_only_triggers("notice")

    def __str__(self) -> str:
        return f"{self.purpose_id} v{self.version} {self.language}"


def own_record() -> models.Func:
    """Return a SQL array that contains only the record of the chain."""
    return models.Func(
        models.F("record"),
        template="ARRAY[%(expressions)s]",
        output_field=ArrayField(models.UUIDField()),
    )


class LedgerEntry(models.Model):
    """One consent statement, at its place on a chain. Its rows never change.

    Each record has a separate chain, so that a merge and its undo rewrite no entries. An entry
    names the records that it speaks for.
    """

    pk = models.CompositePrimaryKey("record_id", "seq")
    record = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    # Counts from 1 on each chain, without gaps.
    seq = models.BigIntegerField()
    entry_id = models.UUIDField(unique=True)
    # The records that were this customer when the statement was made. It holds for each of them.
    speaks_for = ArrayField(models.UUIDField())
    kind = models.CharField(max_length=32)
    # Of a consent or objection: the purpose. Of a preference: the name of the setting.
    subject = models.CharField(max_length=200, blank=True)
    # The version of the event that was written with this entry to the customer's log.
    version = models.BigIntegerField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    # Canonical JSON (RFC 8785): the bytes that the digest covers.
    document = models.TextField()
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = [
            models.CheckConstraint(condition=models.Q(seq__gt=0), name="ledger_counts_from_one")
        ]
        indexes = [
            # Finds entries for a record on the chain of another record. The primary key finds
            # the entries on its own chain.
            GinIndex(
                fields=["speaks_for"],
                condition=~models.Q(speaks_for=own_record()),
                name="ledger_of_joined_records",
            )
        ]
        triggers = append_only_triggers("ledger")

    def __str__(self) -> str:
        return f"{self.record_id}#{self.seq} {self.kind}"


class ConsentState(models.Model):
    """The consent state of a live record: a projection of the ledger, updated by each entry."""

    customer = models.OneToOneField(
        Customer, on_delete=models.CASCADE, primary_key=True, related_name="consent_state"
    )
    # The number of entries that the state was computed from. It reveals a stale projection.
    entries = models.BigIntegerField()
    # customers.consent.state.State as JSON. Decisions read it.
    state = models.JSONField()
    # Columns by which queries filter many customers at once.
    granted = ArrayField(models.TextField(), default=list)
    objected = ArrayField(models.TextField(), default=list)
    channels_off = ArrayField(models.TextField(), default=list)
    topics_off = ArrayField(models.TextField(), default=list)
    paused_until = models.DateTimeField(null=True)
    only_when_i_ask = models.BooleanField(default=False, db_default=False)
    # The time when the first consent expires; null if none expires.
    expires_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=models.Q(expires_at__isnull=False),
                name="consent_expires",
            )
        ]

    def __str__(self) -> str:
        return str(self.customer_id)


class Suppression(models.Model):
    """An address that gets no messages, because of a bounce, a complaint or STOP."""

    class Reason(models.TextChoices):
        BOUNCED = "bounced"
        COMPLAINED = "complained"
        STOPPED = "stopped"

    channel = models.CharField(max_length=16)
    address = models.CharField(max_length=1024)
    reason = models.CharField(max_length=16, choices=Reason)
    # The proof: the delivery report, or the message with STOP.
    evidence = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "address", "reason"],
                condition=models.Q(lifted_at__isnull=True),
                name="suppression_stands_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.reason} #{self.pk}"


class ReceiptKey(models.Model):
    """A public key of signed receipts. Butler keeps it, so that readers can verify them."""

    # The first 16 hex digits of the SHA-256 of the public key.
    key_id = models.CharField(primary_key=True, max_length=16)
    # Ed25519, raw, 32 bytes.
    public_key = models.BinaryField(max_length=32)
    first_used_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.key_id


class AccessLogEntry(models.Model):
    """One access to a record, with actor, page and reason. The customer can read it."""

    customer = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    at = models.DateTimeField()
    # The actor as on the log: "staff:Sam", "source:call desk".
    actor = models.CharField(max_length=100)
    role = models.CharField(max_length=32, blank=True)
    # The page or list that the actor read: "page", "search", "order", "timeline".
    what = models.CharField(max_length=32)
    # The reason: "call", "task", "visit", or a text of the staff member.
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "access log entries"
        indexes = [models.Index(fields=["customer", "-at"], name="access_log_of_customer")]
        triggers = append_only_triggers("access_log")

    def __str__(self) -> str:
        return f"{self.actor} {self.what}"


class Request(models.Model):
    """A service request of a customer, such as a call back."""

    class Status(models.TextChoices):
        OPEN = "open"
        ANSWERED = "answered"
        CLOSED = "closed"

    pk = models.CompositePrimaryKey("customer_id", "reference")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, db_index=False)
    reference = models.TextField()
    kind = models.CharField(max_length=16)
    status = models.CharField(max_length=16, choices=Status)
    subject = models.TextField(blank=True)
    channel = models.CharField(max_length=32)
    opened_at = models.DateTimeField()
    # The start of the time window that the customer wants.
    wanted_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    details = models.JSONField(default=dict)
    version = models.BigIntegerField()

    def __str__(self) -> str:
        return self.reference
