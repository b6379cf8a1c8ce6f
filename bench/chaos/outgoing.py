"""Compares what was to be said with what was said, and with what left. Pure.

The counterpart of bench.chaos.checker for the way out; the names are those of
docs/invariants.md again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from bench.chaos.checker import Finding
from bench.sink import Taken
from customers.consent.hash_chain import GENESIS_DIGEST, chain_digest

# A message is in one of these when nothing more will be done about it by itself.
_LEFT = frozenset({"accepted", "delivered", "bounced", "complained"})
NEVER = frozenset({"suppressed", "expired", "withdrawn", "rejected", "failed"})
ENDS = _LEFT | NEVER | {"uncertain"}
# Ways out that end at somebody who writes down what he was handed.
_CARRIED = frozenset({"email", "sms"})


class Cause(NamedTuple):
    """Something that happened, was acknowledged, and has to be answered by an automation."""

    message_id: str
    automation: str
    channels: tuple[str, ...]
    recipient: str


class Withdrawal(NamedTuple):
    """Somebody's word that was acknowledged: from `at` on, nothing of this topic may leave."""

    recipient: str
    topic: str
    # Monotonic seconds at which the client had the answer.
    at: float


class Run(NamedTuple):
    """An automation at work, and the event that set it going."""

    run_id: str
    automation: str
    customer_id: str
    message_id: str
    status: str
    # Channels through which it was decided not to say it, and the decision says why.
    declined: frozenset[str] = frozenset()


class Said(NamedTuple):
    """One message, as the database has it."""

    id: str
    run_id: str
    channel: str
    state: str
    # One of its attempts ended without anybody knowing how.
    is_unsure: bool = False
    reason: str = ""


class Link(NamedTuple):
    """One entry of a ledger, at its place on a chain."""

    record_id: str
    seq: int
    kind: str
    document: bytes
    previous: bytes
    digest: bytes
    # Where the record can be reached.
    recipient: str = ""


class Outgoing(NamedTuple):
    """What is there after the run, and what the client knows."""

    causes: Sequence[Cause]
    withdrawals: Sequence[Withdrawal]
    runs: Sequence[Run]
    said: Sequence[Said]
    letters: Sequence[Taken]
    chain: Sequence[Link]
    # What should be gone: due rows, leases, tasks that a worker took and never gave back.
    left_over: Mapping[str, int] = {}
    # Messages of which a carrier was told that we heard of their delivery.
    heard: Set[str] = frozenset()


def check(facts: Outgoing) -> list[Finding]:
    """Return everything that is wrong; an empty list is the only good one."""
    rules = (
        _once_means_once,
        _nothing_leaves_after_a_withdrawal,
        _everything_was_answered,
        _everything_came_to_an_end,
        _letters_are_what_was_said,
        _what_was_heard_is_known,
        _ledgers_are_chained,
        _words_are_in_the_ledger,
        _nothing_is_left_over,
    )
    return [finding for rule in rules for finding in rule(facts)]


def _once_means_once(facts: Outgoing) -> Iterator[Finding]:
    runs = Counter((run.automation, run.customer_id, run.message_id) for run in facts.runs)
    said = Counter((one.run_id, one.channel) for one in facts.said)
    letters: dict[tuple[str, str], set[str]] = defaultdict(set)
    for letter in facts.letters:
        letters[letter.recipient, letter.subject].add(letter.message_id)
    for what, times in (("runs", runs), ("messages", said)):
        if doubled := [key for key, count in times.items() if count > 1]:
            yield Finding("C2", f"{len(doubled)} {what} for what is one occasion: {min(doubled)}")
    if doubled_letters := [key for key, ids in letters.items() if len(ids) > 1]:
        yield Finding("C2", f"{len(doubled_letters)} times one occasion as two messages")


def _nothing_leaves_after_a_withdrawal(facts: Outgoing) -> Iterator[Finding]:
    walls = {(one.recipient, one.topic): one.at for one in facts.withdrawals}
    after = [
        letter
        for letter in facts.letters
        if letter.at > walls.get((letter.recipient, letter.topic), float("inf"))
    ]
    if after:
        late = max(one.at - walls[one.recipient, one.topic] for one in after)
        yield Finding(
            "C6", f"{len(after)} letters after an acknowledged withdrawal, by {late:.2f} s"
        )


def _everything_was_answered(facts: Outgoing) -> Iterator[Finding]:
    runs = {(run.message_id, run.automation): run for run in facts.runs}
    said = defaultdict(set)
    for one in facts.said:
        said[one.run_id].add(one.channel)
    unanswered = silent = 0
    for cause in facts.causes:
        run = runs.get((cause.message_id, cause.automation))
        if run is None:
            unanswered += 1
        else:
            silent += bool(set(cause.channels) - said[run.run_id] - run.declined)
    if unanswered:
        yield Finding("C7", f"{unanswered} acknowledged events set nothing going")
    if silent:
        yield Finding("C7", f"{silent} runs neither said something nor why they did not")


def _everything_came_to_an_end(facts: Outgoing) -> Iterator[Finding]:
    open_ = Counter(one.state for one in facts.said if one.state not in ENDS)
    waiting = sum(run.status == "waiting" for run in facts.runs)
    if open_:
        yield Finding("C7", f"messages that did not end: {dict(open_)}")
    if waiting:
        yield Finding("C7", f"{waiting} runs are still waiting")


def _letters_are_what_was_said(facts: Outgoing) -> Iterator[Finding]:
    taken = Counter(letter.message_id for letter in facts.letters)
    carried = {one.id: one for one in facts.said if one.channel in _CARRIED}
    if phantoms := taken.keys() - carried.keys():
        yield Finding("C3", f"{len(phantoms)} letters that nobody said, such as {min(phantoms)}")
    sure = [one for one in carried.values() if not one.is_unsure]
    if doubled := [one.id for one in sure if taken[one.id] > 1]:
        yield Finding("C7", f"{len(doubled)} handed over twice, and not marked: {min(doubled)}")
    if lost := [one.id for one in carried.values() if one.state in _LEFT and not taken[one.id]]:
        yield Finding("C7", f"{len(lost)} marked as sent that never left, such as {min(lost)}")
    if secret := [one.id for one in sure if one.state not in _LEFT and taken[one.id]]:
        yield Finding("C7", f"{len(secret)} left that are marked as not sent: {min(secret)}")


def _what_was_heard_is_known(facts: Outgoing) -> Iterator[Finding]:
    states = {one.id: one.state for one in facts.said}
    if unknown := [one for one in facts.heard if states.get(one) != "delivered"]:
        found = states.get(min(unknown))
        yield Finding("C7", f"{len(unknown)} reported as delivered that are not: one is {found}")


def _ledgers_are_chained(facts: Outgoing) -> Iterator[Finding]:
    chains: dict[str, list[Link]] = defaultdict(list)
    for entry in facts.chain:
        chains[entry.record_id].append(entry)
    broken = [record for record, entries in chains.items() if not _holds(entries)]
    if broken:
        yield Finding("C8", f"{len(broken)} ledgers are not what was written, as {min(broken)}")


def _holds(entries: Sequence[Link]) -> bool:
    before = GENESIS_DIGEST
    for seq, entry in enumerate(sorted(entries, key=lambda one: one.seq), start=1):
        linked = chain_digest(before, entry.document)
        if (entry.seq, entry.previous, entry.digest) != (seq, before, linked):
            return False
        before = entry.digest
    return True


def _words_are_in_the_ledger(facts: Outgoing) -> Iterator[Finding]:
    heard = {entry.recipient for entry in facts.chain if entry.kind == "consent.withdrawn"}
    if missing := {one.recipient for one in facts.withdrawals} - heard:
        yield Finding("C8", f"{len(missing)} acknowledged words are in no ledger")


def _nothing_is_left_over(facts: Outgoing) -> Iterator[Finding]:
    for what, number in facts.left_over.items():
        if number:
            yield Finding("C11", f"{number} {what} left over")
