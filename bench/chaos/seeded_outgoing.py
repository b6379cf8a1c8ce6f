"""Tests bench.chaos.outgoing with a small fake messaging system, whose bugs can be turned on.

Senders die, sleep past their lease and lose connections, and customers withdraw at the same time.
Without a bug, all invariants hold for each seed. Each bug violates one invariant.
"""

import random
from dataclasses import dataclass, field

from bench.chaos.checker import Finding
from bench.chaos.outgoing import (
    LedgerEntry,
    OutgoingObservations,
    Run,
    StoredMessage,
    TriggerEvent,
    Withdrawal,
    check,
)
from bench.sink import ReceivedMessage
from customers.consent.hash_chain import GENESIS_DIGEST, chain_digest

# The description of each bug, and the check that has to detect it.
BUGS = {
    "consent_cached": ("senders cache a consent for thirty seconds", "C6"),
    "consent_at_enqueue": ("senders check the consent only when a message is queued", "C6"),
    "withdrawal_waits_for_nobody": ("a withdrawal does not wait for messages in flight", "C6"),
    "lease_ignored": ("a sender that slept past its lease sends its message", "C6"),
    "requeued_after_lease": ("a message with an expired lease is queued again", "C7"),
    "retry_without_key": ("an uncertain message is repeated as a new message", "C2"),
    "no_unique_occasion": ("a repeated event starts a second run", "C2"),
    "run_outside": ("runs are started after the commit, or never", "C7"),
    "swallowed_exception": ("the system logs and ignores an error in a decision", "C7"),
    "no_sweep": ("the messages of a dead sender stay in the state sending", "C7"),
    "leases_stay": ("the lease of a finished message stays", "C11"),
    "dropped_line_is_failure": (
        "a connection that breaks after the message counts as a failure",
        "C7",
    ),
    "sent_before_sending": ("a message is marked as sent before it is sent", "C7"),
    "early_report_dropped": ("a report about a message in flight is acknowledged and lost", "C7"),
    "report_goes_back": ("a late report replaces a newer state", "C7"),
    "ledger_rewritten": ("an entry of the ledger is changed later", "C8"),
    "word_outside_ledger": ("a withdrawal changes the consent state without a ledger entry", "C8"),
}

RECIPIENTS = 60
LEASE = 5
CACHE_STEPS = 30
STEPS = 600


@dataclass
class Message:
    id: str
    run: Run
    owner: str
    state: str = "queued"
    is_uncertain: bool = False
    lease: int = 0


@dataclass
class Sender:
    """A sender with one message at a time, which may sleep."""

    message: Message | None = None
    sleeps_until: int = 0
    consents: dict[str, bool] = field(default_factory=dict)
    cached_at: int = -CACHE_STEPS


class FakeMessaging:
    """A fake system that starts runs, decides, sends and withdraws. `bug` names its bug."""

    def __init__(self, random_: random.Random, bug: str = "") -> None:
        self.random_, self.bug, self.now = random_, bug, 0
        self.consents = {f"guest-{index}@example.com": True for index in range(RECIPIENTS)}
        self.trigger_events: list[TriggerEvent] = []
        self.runs: list[Run] = []
        self.messages: list[Message] = []
        self.received: list[ReceivedMessage] = []
        # Pending delivery reports of the carrier, and messages whose delivery was confirmed.
        self.reports: list[tuple[Message, str]] = []
        self.confirmed: set[str] = set()
        self.ledger_entries: list[LedgerEntry] = []
        self.withdrawing: set[str] = set()
        self.withdrawals: list[Withdrawal] = []
        self.senders = [Sender(), Sender()]
        self.leases_left = 0

    def chance(self, share: float) -> bool:
        """Return true with this probability, from 0 to 1."""
        return self.random_.random() < share

    def has_bug(self, bug: str, share: float = 0.3) -> bool:
        """Return whether the system has this bug and it occurs now, with this probability."""
        return self.bug == bug and self.chance(share)

    # Steps -----------------------------------------------------------------------------

    def step(self) -> None:
        self.now += 1
        if self.chance(0.4) and self.now < STEPS / 2:
            self.create_trigger()
        if self.chance(0.2):
            self.request_withdrawal()
        self.acknowledge_withdrawals()
        self.mark_expired_leases()
        self.receive_report()
        for sender in self.senders:
            if sender.sleeps_until <= self.now:
                self.run_sender(sender)

    def create_trigger(self) -> None:
        owner = self.random_.choice(sorted(self.consents))
        trigger = TriggerEvent(f"event-{len(self.trigger_events)}", "offer", ("email",), owner)
        self.trigger_events.append(trigger)
        if self.has_bug("run_outside"):
            return
        # The client got no answer the first time, so it repeats the event.
        for _ in range(1 + (self.bug == "no_unique_occasion" and self.chance(0.2))):
            self.decide(trigger)

    def decide(self, trigger: TriggerEvent) -> None:
        """Create the run of a trigger, and a message if the recipient's consent allows it."""
        is_allowed = self.consents[trigger.recipient]
        id_ = f"run-{len(self.runs)}"
        declined = frozenset[str]() if is_allowed else frozenset({"email"})
        run = Run(id_, "offer", trigger.recipient, trigger.message_id, "completed", declined)
        self.runs.append(run)
        if is_allowed and not self.has_bug("swallowed_exception"):
            self.messages.append(Message(f"m-{len(self.messages)}", run, trigger.recipient))

    # Withdrawing -----------------------------------------------------------------------

    def request_withdrawal(self) -> None:
        """Request the withdrawal of the customer of the latest trigger."""
        owner = self.trigger_events[-1].recipient if self.trigger_events else ""
        if not owner or owner in self.withdrawing:
            return
        self.withdrawing.add(owner)
        self.consents[owner] = False
        if not self.has_bug("word_outside_ledger"):
            previous = self.ledger_entries[-1].digest if self.ledger_entries else GENESIS_DIGEST
            document = f"{owner} withdraws".encode()
            seq = len(self.ledger_entries) + 1
            digest = chain_digest(previous, document)
            self.ledger_entries.append(
                LedgerEntry("noor", seq, "consent.withdrawn", document, previous, digest, owner)
            )

    def acknowledge_withdrawals(self) -> None:
        """Acknowledge withdrawals of customers without a message that is being sent."""
        acknowledged = {withdrawal.recipient for withdrawal in self.withdrawals}
        for owner in sorted(self.withdrawing - acknowledged):
            is_sending = any(
                message.owner == owner and message.lease >= self.now for message in self.messages
            )
            if not is_sending or self.bug == "withdrawal_waits_for_nobody":
                self.withdrawals.append(Withdrawal(owner, "offers", float(self.now)))

    # Sending ---------------------------------------------------------------------------

    def run_sender(self, sender: Sender) -> None:
        message = sender.message
        if message is None:
            self.claim(sender)
        elif message.lease >= self.now or self.bug == "lease_ignored":
            self.hand_over(sender, message)
        else:
            sender.message = None

    def claim(self, sender: Sender) -> None:
        """Claim the first queued message, or suppress it if its recipient has no consent."""
        waiting = [message for message in self.messages if message.state == "queued"]
        if not waiting:
            return
        message = waiting[0]
        if not self.is_allowed(sender, message.owner):
            message.state = "suppressed"
            return
        message.state, message.lease, sender.message = "sending", self.now + LEASE, message
        if self.has_bug("sent_before_sending"):
            message.state = "accepted"
        if self.chance(0.08):
            sender.message = None  # It died.
        elif self.chance(0.15):
            sender.sleeps_until = self.now + 3 * LEASE

    def is_allowed(self, sender: Sender, owner: str) -> bool:
        """Return whether the owner's consent allows a message, as this sender reads it."""
        if self.bug == "consent_at_enqueue":
            return True
        if self.now - sender.cached_at >= (CACHE_STEPS if self.bug == "consent_cached" else 0):
            sender.consents, sender.cached_at = dict(self.consents), self.now
        return sender.consents[owner]

    def hand_over(self, sender: Sender, message: Message) -> None:
        sender.message = None
        is_acknowledged = self.chance(0.9)
        subject = f"Offer {message.run.message_id}"
        self.received.append(
            # Later than the acknowledgements of this step, and earlier than those of the next.
            ReceivedMessage(
                self.now + 0.5, message.id, message.owner, "offers", subject, "", is_acknowledged
            )
        )
        # Some carriers send no delivery reports.
        if self.chance(0.3):
            self.reports += [(message, "delivered"), (message, "sent")]
        if self.chance(0.05):
            return  # It died before it could write that down.
        if is_acknowledged:
            self.finish(message, "accepted")
        elif self.bug == "dropped_line_is_failure":
            self.finish(message, "failed")
        else:
            self.mark_uncertain(message)

    def finish(self, message: Message, state: str) -> None:
        """Set the final state of a message and end its lease, unless its state is already final."""
        # A sender whose message is already final must not change its state.
        if message.state == "sending":
            message.state, message.lease = state, 0
            self.leases_left += self.has_bug("leases_stay")

    def mark_uncertain(self, message: Message) -> None:
        message.is_uncertain = True
        self.finish(message, "uncertain")
        if self.has_bug("retry_without_key"):
            duplicate = Message(f"m-{len(self.messages)}", message.run, message.owner)
            self.messages.append(duplicate)

    def mark_expired_leases(self) -> None:
        """Mark messages as uncertain whose lease ended while they were being sent."""
        for message in self.messages:
            if message.state == "sending" and message.lease < self.now:
                if self.bug == "requeued_after_lease":
                    message.state = "queued"
                elif self.bug != "no_sweep":
                    self.mark_uncertain(message)

    def receive_report(self) -> None:
        """Process one delivery report, in random order."""
        if not self.reports or self.chance(0.3):
            return
        message, status = self.reports.pop(self.random_.randrange(len(self.reports)))
        is_early = message.state == "sending"
        if not (is_early and self.bug == "early_report_dropped"):
            if status == "delivered":
                message.state = "delivered"
            elif message.state != "delivered" or self.bug == "report_goes_back":
                message.state = "accepted"
        if status == "delivered":
            self.confirmed.add(message.id)

    def tamper(self) -> None:
        """With the bug for it, rewrite the document of one ledger entry."""
        if self.has_bug("ledger_rewritten", 0.7) and self.ledger_entries:
            index = self.random_.randrange(len(self.ledger_entries))
            self.ledger_entries[index] = self.ledger_entries[index]._replace(
                document=b"noor agrees"
            )

    def observe(self) -> OutgoingObservations:
        messages = [
            StoredMessage(
                message.id, message.run.run_id, "email", message.state, message.is_uncertain
            )
            for message in self.messages
        ]
        unfinished = {"leases": self.leases_left}
        return OutgoingObservations(
            trigger_events=self.trigger_events,
            withdrawals=self.withdrawals,
            runs=self.runs,
            messages=messages,
            received=self.received,
            ledger_entries=self.ledger_entries,
            unfinished=unfinished,
            confirmed_deliveries=self.confirmed,
        )


def run(seed: int, bug: str = "") -> list[Finding]:
    """Run the fake messaging system once and return the findings of the checker."""
    messaging = FakeMessaging(random.Random(seed), bug)
    for _ in range(STEPS):
        messaging.step()
    messaging.tamper()
    return check(messaging.observe())
