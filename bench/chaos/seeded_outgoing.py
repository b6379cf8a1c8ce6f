"""Proves bench.chaos.outgoing: a small post office with faults one can switch on.

It keeps every promise under every seed: senders die, sleep past their lease and lose the line,
and guests withdraw in the middle. Each bug breaks one promise as real systems do.
"""

import random
from dataclasses import dataclass, field

from bench.chaos.checker import Finding
from bench.chaos.outgoing import Cause, Link, Outgoing, Run, Said, Withdrawal, check
from bench.sink import Taken
from customers.consent.hash_chain import GENESIS_DIGEST, chain_digest

# What each bug is, and the check that has to notice it.
BUGS = {
    "consent_cached": ("senders believe a consent for thirty seconds", "C6"),
    "consent_at_enqueue": ("consent is asked for when a message is queued, and never again", "C6"),
    "withdrawal_waits_for_nobody": ("a withdrawal does not wait for what is in hand", "C6"),
    "lease_ignored": ("a sender that slept past its lease sends what it holds", "C6"),
    "requeued_after_lease": ("what fell silent is simply tried again", "C7"),
    "retry_without_key": ("what nobody is sure of is said again as a new message", "C2"),
    "no_unique_occasion": ("an event that comes again sets the same going again", "C2"),
    "run_outside": ("runs are started after the commit, or not at all", "C7"),
    "swallowed_exception": ("an error while judging is logged and forgotten", "C7"),
    "no_sweep": ("nobody looks after a sender that died", "C7"),
    "leases_stay": ("a message ends, and the lease on it does not", "C11"),
    "dropped_line_is_failure": ("a line that breaks after the letter counts as not sent", "C7"),
    "sent_before_sending": ("a message is marked as sent, and then handed over", "C7"),
    "early_report_dropped": ("what is reported of a message in hand is answered and lost", "C7"),
    "report_goes_back": ("a report that comes late takes back what one before it said", "C7"),
    "ledger_rewritten": ("an entry of the ledger is changed later", "C8"),
    "word_outside_ledger": ("a withdrawal changes what holds, and leaves no entry", "C8"),
}

GUESTS = 60
LEASE = 5
CACHED = 30
STEPS = 600


@dataclass
class Message:
    id: str
    run: Run
    owner: str
    state: str = "queued"
    is_unsure: bool = False
    lease: int = 0


@dataclass
class Sender:
    """Holds one message at a time, and may sleep."""

    holds: Message | None = None
    sleeps_until: int = 0
    consents: dict[str, bool] = field(default_factory=dict)
    asked_at: int = -CACHED


class Post:
    """Starts runs, judges, sends and withdraws. `bug` is what is wrong with it."""

    def __init__(self, dice: random.Random, bug: str = "") -> None:
        self.dice, self.bug, self.now = dice, bug, 0
        self.consents = {f"guest-{n}@example.com": True for n in range(GUESTS)}
        self.causes: list[Cause] = []
        self.runs: list[Run] = []
        self.messages: list[Message] = []
        self.letters: list[Taken] = []
        # What carriers have to tell, and of which messages they told it all.
        self.reports: list[tuple[Message, str]] = []
        self.heard: set[str] = set()
        self.chain: list[Link] = []
        self.asked: set[str] = set()
        self.withdrawals: list[Withdrawal] = []
        self.senders = [Sender(), Sender()]
        self.leases_left = 0

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def has(self, bug: str, share: float = 0.3) -> bool:
        return self.bug == bug and self.chance(share)

    # What happens ----------------------------------------------------------------------

    def step(self) -> None:
        self.now += 1
        if self.chance(0.4) and self.now < STEPS / 2:
            self.happen()
        if self.chance(0.2):
            self.ask_to_withdraw()
        self.acknowledge()
        self.sweep()
        self.hear()
        for sender in self.senders:
            if sender.sleeps_until <= self.now:
                self.work(sender)

    def happen(self) -> None:
        owner = self.dice.choice(sorted(self.consents))
        cause = Cause(f"event-{len(self.causes)}", "offer", ("email",), owner)
        self.causes.append(cause)
        if self.has("run_outside"):
            return
        # The client was not answered the first time.
        for _ in range(1 + (self.bug == "no_unique_occasion" and self.chance(0.2))):
            self.judge(cause)

    def judge(self, cause: Cause) -> None:
        may = self.consents[cause.recipient]
        id_ = f"run-{len(self.runs)}"
        declined = frozenset[str]() if may else frozenset({"email"})
        run = Run(id_, "offer", cause.recipient, cause.message_id, "done", declined)
        self.runs.append(run)
        if may and not self.has("swallowed_exception"):
            self.messages.append(Message(f"m-{len(self.messages)}", run, cause.recipient))

    # Withdrawing -----------------------------------------------------------------------

    def ask_to_withdraw(self) -> None:
        """Have somebody withdraw to whom something just happened."""
        owner = self.causes[-1].recipient if self.causes else ""
        if not owner or owner in self.asked:
            return
        self.asked.add(owner)
        self.consents[owner] = False
        if not self.has("word_outside_ledger"):
            before = self.chain[-1].digest if self.chain else GENESIS_DIGEST
            document = f"{owner} withdraws".encode()
            seq = len(self.chain) + 1
            digest = chain_digest(before, document)
            self.chain.append(
                Link("noor", seq, "consent.withdrawn", document, before, digest, owner)
            )

    def acknowledge(self) -> None:
        """Answer those for whom nothing is in anybody's hand any more."""
        done = {one.recipient for one in self.withdrawals}
        for owner in sorted(self.asked - done):
            in_hand = any(m.owner == owner and m.lease >= self.now for m in self.messages)
            if not in_hand or self.bug == "withdrawal_waits_for_nobody":
                self.withdrawals.append(Withdrawal(owner, "offers", float(self.now)))

    # Sending ---------------------------------------------------------------------------

    def work(self, sender: Sender) -> None:
        message = sender.holds
        if message is None:
            self.claim(sender)
        elif message.lease >= self.now or self.bug == "lease_ignored":
            self.hand_over(sender, message)
        else:
            sender.holds = None

    def claim(self, sender: Sender) -> None:
        waiting = [message for message in self.messages if message.state == "queued"]
        if not waiting:
            return
        message = waiting[0]
        if not self.may(sender, message.owner):
            message.state = "suppressed"
            return
        message.state, message.lease, sender.holds = "sending", self.now + LEASE, message
        if self.has("sent_before_sending"):
            message.state = "accepted"
        if self.chance(0.08):
            sender.holds = None  # It died.
        elif self.chance(0.15):
            sender.sleeps_until = self.now + 3 * LEASE

    def may(self, sender: Sender, owner: str) -> bool:
        if self.bug == "consent_at_enqueue":
            return True
        if self.now - sender.asked_at >= (CACHED if self.bug == "consent_cached" else 0):
            sender.consents, sender.asked_at = dict(self.consents), self.now
        return sender.consents[owner]

    def hand_over(self, sender: Sender, message: Message) -> None:
        sender.holds = None
        is_told = self.chance(0.9)
        subject = f"Offer {message.run.message_id}"
        self.letters.append(
            # Later than what was acknowledged in this step, and earlier than in the next.
            Taken(self.now + 0.5, message.id, message.owner, "offers", subject, "", is_told)
        )
        # Not every carrier tells.
        if self.chance(0.3):
            self.reports += [(message, "delivered"), (message, "sent")]
        if self.chance(0.05):
            return  # It died before it could write that down.
        if is_told:
            self.settle(message, "accepted")
        elif self.bug == "dropped_line_is_failure":
            self.settle(message, "failed")
        else:
            self.unsure(message)

    def settle(self, message: Message, state: str) -> None:
        # Whoever was given up on has nothing to say any more.
        if message.state == "sending":
            message.state, message.lease = state, 0
            self.leases_left += self.has("leases_stay")

    def unsure(self, message: Message) -> None:
        message.is_unsure = True
        self.settle(message, "uncertain")
        if self.has("retry_without_key"):
            again = Message(f"m-{len(self.messages)}", message.run, message.owner)
            self.messages.append(again)

    def sweep(self) -> None:
        for message in self.messages:
            if message.state == "sending" and message.lease < self.now:
                if self.bug == "requeued_after_lease":
                    message.state = "queued"
                elif self.bug != "no_sweep":
                    self.unsure(message)

    def hear(self) -> None:
        """Take in one report, in no order."""
        if not self.reports or self.chance(0.3):
            return
        message, said = self.reports.pop(self.dice.randrange(len(self.reports)))
        is_early = message.state == "sending"
        if not (is_early and self.bug == "early_report_dropped"):
            if said == "delivered":
                message.state = "delivered"
            elif message.state != "delivered" or self.bug == "report_goes_back":
                message.state = "accepted"
        if said == "delivered":
            self.heard.add(message.id)

    def rewrite(self) -> None:
        if self.has("ledger_rewritten", 0.7) and self.chain:
            place = self.dice.randrange(len(self.chain))
            self.chain[place] = self.chain[place]._replace(document=b"noor agrees")

    def facts(self) -> Outgoing:
        said = [Said(m.id, m.run.run_id, "email", m.state, m.is_unsure) for m in self.messages]
        left = {"leases": self.leases_left}
        return Outgoing(
            causes=self.causes,
            withdrawals=self.withdrawals,
            runs=self.runs,
            said=said,
            letters=self.letters,
            chain=self.chain,
            left_over=left,
            heard=self.heard,
        )


def run(seed: int, bug: str = "") -> list[Finding]:
    """Play one run with the post office and return what the checker finds."""
    post = Post(random.Random(seed), bug)
    for _ in range(STEPS):
        post.step()
    post.rewrite()
    return check(post.facts())
