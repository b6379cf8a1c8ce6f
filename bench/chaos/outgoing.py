"""Compares trigger events with stored messages, and with received ones. Pure.

The counterpart of bench.chaos.checker for outgoing messages. The names are those of
docs/invariants.md.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from bench.chaos.checker import Finding
from bench.sink import ReceivedMessage
from customers.consent.hash_chain import GENESIS_DIGEST, chain_digest

# Final states: Butler does not process such a message again by itself.
_SENT_STATES = frozenset({"accepted", "delivered", "bounced", "complained"})
UNSENT_STATES = frozenset({"suppressed", "expired", "withdrawn", "rejected", "failed"})
FINAL_STATES = _SENT_STATES | UNSENT_STATES | {"uncertain"}
# Channels whose relay or carrier records the received messages.
_CARRIER_CHANNELS = frozenset({"email", "sms"})


class TriggerEvent(NamedTuple):
    """An acknowledged event that has to start an automation."""

    message_id: str
    automation: str
    channels: tuple[str, ...]
    recipient: str


class Withdrawal(NamedTuple):
    """An acknowledged withdrawal. Butler must not send messages of this topic after it."""

    recipient: str
    topic: str
    # The time in monotonic seconds at which the client received the answer.
    acknowledged_at: float


class Run(NamedTuple):
    """A run of an automation, and the event that started it."""

    run_id: str
    automation: str
    customer_id: str
    message_id: str
    status: str
    # Channels for which a decision declined the message, with a reason.
    declined: frozenset[str] = frozenset()


class StoredMessage(NamedTuple):
    """One message of the database."""

    id: str
    run_id: str
    channel: str
    state: str
    # One of its attempts has an unknown outcome.
    is_uncertain: bool = False
    reason: str = ""


class LedgerEntry(NamedTuple):
    """One entry of a consent ledger, with its chain digests."""

    record_id: str
    seq: int
    kind: str
    document: bytes
    previous: bytes
    digest: bytes
    # The email address of the record.
    recipient: str = ""


class OutgoingObservations(NamedTuple):
    """The state after the run, and the log of the client."""

    trigger_events: Sequence[TriggerEvent]
    withdrawals: Sequence[Withdrawal]
    runs: Sequence[Run]
    messages: Sequence[StoredMessage]
    received: Sequence[ReceivedMessage]
    ledger_entries: Sequence[LedgerEntry]
    # Counts of unfinished work: due rows, leases, tasks that no worker finished.
    unfinished: Mapping[str, int] = {}
    # Messages whose delivery callbacks Butler acknowledged.
    confirmed_deliveries: Set[str] = frozenset()


def check(observed: OutgoingObservations) -> list[Finding]:
    """Return all violations; an empty list means that all invariants hold."""
    rules = (
        _nothing_is_sent_twice,
        _nothing_leaves_after_a_withdrawal,
        _every_trigger_was_answered,
        _every_message_is_final,
        _received_messages_match_stored_states,
        _confirmed_deliveries_are_stored,
        _ledgers_are_chained,
        _withdrawals_are_in_the_ledger,
        _nothing_is_unfinished,
    )
    return [finding for rule in rules for finding in rule(observed)]


def _nothing_is_sent_twice(observed: OutgoingObservations) -> Iterator[Finding]:
    runs = Counter((run.automation, run.customer_id, run.message_id) for run in observed.runs)
    messages = Counter((message.run_id, message.channel) for message in observed.messages)
    received: dict[tuple[str, str], set[str]] = defaultdict(set)
    for message in observed.received:
        received[message.recipient, message.subject].add(message.message_id)
    for kind, counts in (("runs", runs), ("messages", messages)):
        if duplicates := [key for key, count in counts.items() if count > 1]:
            yield Finding(
                "C2", f"{len(duplicates)} occasions have several {kind}, such as {min(duplicates)}"
            )
    if duplicate_messages := [key for key, ids in received.items() if len(ids) > 1]:
        yield Finding("C2", f"{len(duplicate_messages)} occasions led to two messages")


def _nothing_leaves_after_a_withdrawal(observed: OutgoingObservations) -> Iterator[Finding]:
    withdrawn_at = {
        (withdrawal.recipient, withdrawal.topic): withdrawal.acknowledged_at
        for withdrawal in observed.withdrawals
    }
    after = [
        message
        for message in observed.received
        if message.received_at > withdrawn_at.get((message.recipient, message.topic), float("inf"))
    ]
    if after:
        late = max(
            message.received_at - withdrawn_at[message.recipient, message.topic]
            for message in after
        )
        yield Finding(
            "C6",
            f"{len(after)} messages received after an acknowledged withdrawal, by {late:.2f} s",
        )


def _every_trigger_was_answered(observed: OutgoingObservations) -> Iterator[Finding]:
    runs = {(run.message_id, run.automation): run for run in observed.runs}
    channels = defaultdict(set)
    for message in observed.messages:
        channels[message.run_id].add(message.channel)
    unanswered = silent = 0
    for trigger in observed.trigger_events:
        run = runs.get((trigger.message_id, trigger.automation))
        if run is None:
            unanswered += 1
        else:
            silent += bool(set(trigger.channels) - channels[run.run_id] - run.declined)
    if unanswered:
        yield Finding("C7", f"{unanswered} acknowledged trigger events started no run")
    if silent:
        yield Finding("C7", f"{silent} runs have neither a message nor a reason for none")


def _every_message_is_final(observed: OutgoingObservations) -> Iterator[Finding]:
    open_messages = Counter(
        message.state for message in observed.messages if message.state not in FINAL_STATES
    )
    waiting = sum(run.status == "waiting" for run in observed.runs)
    if open_messages:
        yield Finding("C7", f"messages without a final state: {dict(open_messages)}")
    if waiting:
        yield Finding("C7", f"{waiting} runs are still waiting")


def _received_messages_match_stored_states(observed: OutgoingObservations) -> Iterator[Finding]:
    received_counts = Counter(message.message_id for message in observed.received)
    carried_messages = {
        message.id: message for message in observed.messages if message.channel in _CARRIER_CHANNELS
    }
    if phantoms := received_counts.keys() - carried_messages.keys():
        yield Finding(
            "C3", f"{len(phantoms)} received messages without a stored one, such as {min(phantoms)}"
        )
    certain = [message for message in carried_messages.values() if not message.is_uncertain]
    if duplicates := [message.id for message in certain if received_counts[message.id] > 1]:
        yield Finding(
            "C7",
            f"{len(duplicates)} messages were sent twice and are not marked as uncertain, "
            f"such as {min(duplicates)}",
        )
    if lost := [
        message.id
        for message in carried_messages.values()
        if message.state in _SENT_STATES and not received_counts[message.id]
    ]:
        yield Finding("C7", f"{len(lost)} sent messages were never received, such as {min(lost)}")
    if unmarked := [
        message.id
        for message in certain
        if message.state not in _SENT_STATES and received_counts[message.id]
    ]:
        yield Finding("C7", f"{len(unmarked)} unsent messages were received: {min(unmarked)}")


def _confirmed_deliveries_are_stored(observed: OutgoingObservations) -> Iterator[Finding]:
    states = {message_id.id: message_id.state for message_id in observed.messages}
    if unknown := [
        message_id
        for message_id in observed.confirmed_deliveries
        if states.get(message_id) != "delivered"
    ]:
        state = states.get(min(unknown))
        yield Finding("C7", f"{len(unknown)} delivered messages have another state: {state}")


def _ledgers_are_chained(observed: OutgoingObservations) -> Iterator[Finding]:
    chains: dict[str, list[LedgerEntry]] = defaultdict(list)
    for entry in observed.ledger_entries:
        chains[entry.record_id].append(entry)
    broken = [record for record, entries in chains.items() if not _is_chained(entries)]
    if broken:
        yield Finding("C8", f"{len(broken)} ledgers have a broken chain, such as {min(broken)}")


def _is_chained(entries: Sequence[LedgerEntry]) -> bool:
    before = GENESIS_DIGEST
    for seq, entry in enumerate(sorted(entries, key=lambda entry: entry.seq), start=1):
        linked = chain_digest(before, entry.document)
        if (entry.seq, entry.previous, entry.digest) != (seq, before, linked):
            return False
        before = entry.digest
    return True


def _withdrawals_are_in_the_ledger(observed: OutgoingObservations) -> Iterator[Finding]:
    recipients = {
        entry.recipient for entry in observed.ledger_entries if entry.kind == "consent.withdrawn"
    }
    if missing := {withdrawal.recipient for withdrawal in observed.withdrawals} - recipients:
        yield Finding("C8", f"{len(missing)} acknowledged withdrawals are in no ledger")


def _nothing_is_unfinished(observed: OutgoingObservations) -> Iterator[Finding]:
    for kind, number in observed.unfinished.items():
        if number:
            yield Finding("C11", f"{number} {kind} are unfinished")
