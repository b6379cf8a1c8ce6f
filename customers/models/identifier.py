from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Now, Reverse, StrIndex, Substr

from customers import types
from customers.db.grouping_triggers import identifier_triggers, link_triggers
from customers.models.customer import Customer
from customers.models.erasure import Erasure
from customers.models.source import Source


class Evidence(models.IntegerChoices):
    """The class of an identifier or event: a claim, or not a claim."""

    CLAIMED = 1
    VERIFIED = 2


class LinkEvidence(models.IntegerChoices):
    """How certain it is that two identifiers belong together, the weakest first."""

    CLAIMED = types.CLAIMED
    NOTED = types.NOTED
    STATED = types.STATED
    OPENED = types.OPENED
    CONFIRMED = types.CONFIRMED


class Identifier(models.Model):
    """One value that may identify a customer, such as an address or a card.

    The value of a number or an order is `<source id>/<number>`, because two sources may use the
    same number. A claimed identifier and the value that it names are two rows, so that a claim
    never leads to the record of that value.
    """

    kind = models.CharField(max_length=64)
    value = models.CharField(max_length=1024)
    evidence = models.SmallIntegerField(choices=Evidence)
    # An address that changed hands has a period for each holder, from `period_starts_at`.
    period = models.SmallIntegerField(default=0, db_default=0)
    period_starts_at = models.DateTimeField(null=True, blank=True)
    # The record for events without a stronger identifier; null until the first such event.
    record = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="filed_identifiers"
    )
    # The live record that the identifier leads to now; null if it is shared or has no record.
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, null=True, related_name="identifiers"
    )
    # Several records have this phone or device, so it is attached to none of them.
    is_shared = models.BooleanField(default=False, db_default=False)
    # A placeholder such as "guest": owners stated it with more mailboxes than one person has.
    is_placeholder = models.BooleanField(default=False, db_default=False)
    # The strongest evidence of an event that named it, or of a code that proved the address; null for
    # identifiers stored before.
    best_evidence = models.SmallIntegerField(choices=LinkEvidence, null=True, blank=True)
    first_seen_at = models.DateTimeField()
    # The erasure that ended this period. Only identifiers of the same erasure join this one.
    erasure = models.ForeignKey(
        Erasure, on_delete=models.PROTECT, null=True, db_index=False, related_name="identifiers"
    )
    # When a customer proved the address by a code, in this period.
    proved_at = models.DateTimeField(null=True, blank=True)
    # Until then the holder of a proved address was silent for a year: a code opens what is later. The
    # log decides (customers.identity.silences); null without a silence, or after one more fact.
    silent_until = models.DateTimeField(null=True, blank=True)
    # When the customer last chose the address for the messages of its kind. The latest counts of
    # those on the record.
    preferred_at = models.DateTimeField(null=True, blank=True)
    # Purposes that an earlier, erased holder of the address refused. A customer who proves the
    # address can take them out by a consent.
    refused = ArrayField(models.TextField(), default=list, db_default=[])

    class Meta:
        triggers = identifier_triggers()
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value", "evidence", "period"],
                name="identifier_is_unique_per_period",
            ),
            models.CheckConstraint(
                condition=models.Q(evidence__in=Evidence.values),
                name="identifier_evidence_is_known",
            ),
        ]
        # Indexes for searches by a similar address, the end of a phone number, a number without
        # its source.
        indexes = [
            GinIndex(
                OpClass(
                    models.Func(
                        models.F("value"), models.Value("@"), models.Value(1), function="split_part"
                    ),
                    name="gin_trgm_ops",
                ),
                condition=models.Q(kind="email"),
                name="identifier_mailbox",
            ),
            models.Index(
                OpClass(Reverse("value"), name="text_pattern_ops"),
                condition=models.Q(kind="phone"),
                name="identifier_end_of_number",
            ),
            models.Index(
                Substr("value", StrIndex("value", models.Value("/")) + 1),
                condition=models.Q(kind="order"),
                name="identifier_order_number",
            ),
            models.Index(
                models.F("kind"),
                Substr("value", StrIndex("value", models.Value("/")) + 1),
                condition=models.Q(kind="user_id") | models.Q(kind__startswith="external:"),
                name="identifier_number",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class LinkKind(models.TextChoices):
    # The two came in one event.
    TOGETHER = "seen"
    # An owner said that two of its numbers are one account.
    ALIAS = "alias"
    # Two sources of one space gave the same number.
    EQUAL = "equal"
    # Links an order with the identifier that placed it.
    PLACED = "placed"
    # Links an order with the identifier that a later event of its source says it is for.
    MOVED = "moved"
    # Two periods of one address, from the start of the later one. Its state is always "joined", so
    # that the periods are read together. customers.identity.periods tells whether they are one.
    PERIOD = "period"


class LinkState(models.TextChoices):
    """The current effect of a link, which the grouping decides."""

    # It is noted, a claim, or about an order: it joins nothing.
    FILED = "filed"
    JOINED = "joined"
    # It attaches a card, a phone, a device or a noted number to a record.
    ATTACHED = "attached"
    # The rules refuse it. Both records stay as they are.
    CONTESTED = "contested"
    # The source named another address of the account later.
    REPLACED = "replaced"


class Link(models.Model):
    """A statement that two identifiers belong together, at its earliest time. Only erasure deletes it."""

    first = models.ForeignKey(Identifier, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(Identifier, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=LinkKind, default=LinkKind.TOGETHER)
    evidence = models.SmallIntegerField(choices=LinkEvidence)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    occurred_at = models.DateTimeField()
    # customers.events.arrival: decides between statements of the same moment.
    arrival = models.BigIntegerField()
    # The last time at which the customer proved both ends in one session of Butler, or at which a
    # source moved an order to the identifier. Null means `occurred_at`, for links that were stored
    # before, and for all other links.
    last_proved_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=9, choices=LinkState, default=LinkState.FILED)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        triggers = link_triggers()
        constraints = [
            models.UniqueConstraint(
                fields=["first", "second", "kind", "evidence", "source"],
                name="link_is_stated_once",
            ),
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="link_is_ordered"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=LinkKind.values), name="link_kind_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=LinkState.values), name="link_state_is_known"
            ),
        ]
        # A value may have many contested links, but only few that join or attach.
        indexes = [
            models.Index(
                fields=[end, "state"],
                condition=models.Q(state__in=["joined", "attached"]),
                name=f"link_acts_{end}",
            )
            for end in ("first", "second")
        ] + [
            models.Index(
                fields=[end, "-evidence", "occurred_at", "arrival"],
                condition=models.Q(state__in=["attached", "contested"]),
                name=f"link_order_{end}",
            )
            for end in ("first", "second")
        ]
        # Pending addresses that a source confirmed. The job start_confirmed_changes reads them.
        indexes += [
            models.Index(
                fields=["recorded_at", "id"],
                condition=models.Q(state="replaced", evidence__gte=40),
                name="link_pending_confirmed",
            )
        ]

    def __str__(self) -> str:
        return f"{self.first_id} {self.kind} {self.second_id}"


class ManualDecision(models.Model):
    """A person's decision that two identifiers are one customer or two. It also is on the log."""

    class Kind(models.TextChoices):
        MERGE = "merge"
        SEPARATE = "separate"

    kind = models.CharField(max_length=8, choices=Kind)
    first = models.ForeignKey(Identifier, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(Identifier, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    actor = models.CharField(max_length=100)
    decided_at = models.DateTimeField()
    # Undone: the grouping is then as if the decision had never been made.
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=100, blank=True)
    undone_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="decision_is_ordered"
            )
        ]
        indexes = [
            models.Index(
                fields=[end],
                condition=models.Q(undone_at__isnull=True),
                name=f"decision_of_{end}",
            )
            for end in ("first", "second")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.first_id} {self.second_id}"


class HistoryOpening(models.Model):
    """The tries to open the history before one silence of an address, and who opened it.

    The address is `identifier`; customers.actions.earlier_history has the rules.
    """

    identifier = models.ForeignKey(Identifier, on_delete=models.PROTECT, related_name="+")
    silent_until = models.DateTimeField()
    tries = models.SmallIntegerField(default=0)
    # The login of the first of the two colleagues who open it, and the evidence of both.
    approved_by = models.CharField(max_length=100, blank=True)
    evidence = models.TextField(blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    # "customer", or the name of a colleague.
    opened_by = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["identifier", "silent_until"], name="history_opening_once_per_silence"
            )
        ]

    def __str__(self) -> str:
        return f"history of #{self.identifier_id}"


class BlockedValue(models.Model):
    """A value that identifies no customer, such as the number of an office. The company sets it."""

    kind = models.CharField(max_length=64)
    value = models.CharField(max_length=1024)
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "value"], name="blocked_value_once")]

    def __str__(self) -> str:
        return f"{self.kind} blocked #{self.pk}"
