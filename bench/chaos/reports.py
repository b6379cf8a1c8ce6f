"""Prints the report of a chaos run: counts, and the violated invariants."""

from collections import Counter
from collections.abc import Mapping, Sequence

from bench.chaos.checker import Finding, Observations
from bench.chaos.load import Load
from bench.chaos.outgoing import UNSENT_STATES, OutgoingObservations
from bench.chaos.readers import Reader


def print_report(
    load: Load,
    readers: Sequence[Reader],
    observed: Observations,
    acknowledged: int,
    rebuild_text: str,
) -> None:
    """Print the counts of the received events."""
    ids = [event.message_id for event in observed.events]
    shown = sum(len(reader.events) for reader in readers)
    reconnects = sum(max(0, reader.streams - 1) for reader in readers)
    answers = ", ".join(f"{name} {times}" for name, times in sorted(load.stats.statuses.items()))
    lines = {
        "acknowledged events (N)": f"{acknowledged:,}",
        "lost": max(0, acknowledged - len(set(ids))),
        "stored twice": len(ids) - len(set(ids)),
        "loss below (95 % confidence)": f"{3 / max(1, acknowledged):.1e}",
        "logs, versions without gaps": f"{len(observed.customer_versions):,}",
        "quarantined": f"{len(observed.quarantined):,}",
        "live records against logs": rebuild_text,
        "readers, reconnects, events": f"{len(readers)}, {reconnects}, {shown:,}",
        "answers": answers,
        "slowest answer": f"{load.stats.slowest:.1f} s",
    }
    _print(lines)


def print_outgoing_report(load: Load, observed: OutgoingObservations) -> None:
    """Print the counts of the outgoing messages."""
    assert load.recipients is not None
    states = Counter(message.state for message in observed.messages)
    unsent = Counter(
        f"{message.channel} {message.reason}"
        for message in observed.messages
        if message.state in UNSENT_STATES
    )
    received_counts = Counter(message.message_id for message in observed.received)
    latencies = sorted(load.recipients.latencies_ms) or [0.0]
    state_text = ", ".join(f"{state} {count:,}" for state, count in sorted(states.items()))
    lines = {
        "messages (N)": f"{len(observed.messages):,} on {len(observed.runs):,} occasions",
        "their states": state_text,
        "reasons of unsent messages": ", ".join(
            f"{reason} {count:,}" for reason, count in unsent.most_common()
        ),
        "messages received": f"{len(observed.received):,}",
        "messages received twice": sum(count > 1 for count in received_counts.values()),
        "uncertain": sum(message.is_uncertain for message in observed.messages),
        "withdrawals acknowledged": f"{len(observed.withdrawals):,}",
        "acknowledged within, p99": f"{latencies[int(len(latencies) * 0.99)]:.0f} ms, faults included",
        "entries of ledgers, chained": f"{len(observed.ledger_entries):,}",
    }
    _print(lines)


def print_conclusion(seed: int, findings: Sequence[Finding]) -> None:
    """Print the violations, or that there are none."""
    print()
    for finding in findings:
        print(f"  VIOLATED  {finding}")
    print(
        f"Seed {seed}: {'all invariants hold' if not findings else 'some invariants are violated'}."
    )


def _print(lines: Mapping[str, object]) -> None:
    print()
    for name, value in lines.items():
        print(f"  {name:<30} {value}")
