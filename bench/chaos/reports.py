"""What a chaos run prints: counts, each promise with its N."""

from collections import Counter
from collections.abc import Mapping, Sequence

from bench.chaos.checker import Facts, Finding
from bench.chaos.load import Load
from bench.chaos.outgoing import NEVER, Outgoing
from bench.chaos.readers import Reader


def report(
    load: Load,
    readers: Sequence[Reader],
    facts: Facts,
    acknowledged: int,
    rebuilt: str,
) -> None:
    """Say what became of what was sent in."""
    ids = [event.message_id for event in facts.stored]
    shown = sum(len(reader.shown) for reader in readers)
    came_back = sum(max(0, reader.streams - 1) for reader in readers)
    answers = ", ".join(f"{name} {times}" for name, times in sorted(load.seen.statuses.items()))
    lines = {
        "acknowledged events (N)": f"{acknowledged:,}",
        "lost": max(0, acknowledged - len(set(ids))),
        "doubled": len(ids) - len(set(ids)),
        "loss, 95 % sure, below": f"{3 / max(1, acknowledged):.1e}",
        "logs, versions without gaps": f"{len(facts.heads):,}",
        "told to be kept apart, kept": f"{len(facts.apart):,}",
        "live records against logs": rebuilt,
        "readers, reconnects, events": f"{len(readers)}, {came_back}, {shown:,}",
        "answers": answers,
        "slowest answer": f"{load.seen.slowest:.1f} s",
    }
    _print(lines)


def report_outgoing(load: Load, facts: Outgoing) -> None:
    """Say what became of what was to be said."""
    assert load.guests is not None
    states = Counter(one.state for one in facts.said)
    never = Counter(f"{one.channel} {one.reason}" for one in facts.said if one.state in NEVER)
    handed = Counter(letter.message_id for letter in facts.letters)
    took = sorted(load.guests.took) or [0.0]
    told = ", ".join(f"{state} {times:,}" for state, times in sorted(states.items()))
    lines = {
        "messages (N)": f"{len(facts.said):,} on {len(facts.runs):,} occasions",
        "their states": told,
        "why some never left": ", ".join(f"{why} {times:,}" for why, times in never.most_common()),
        "letters and texts taken": f"{len(facts.letters):,}",
        "messages taken twice": sum(times > 1 for times in handed.values()),
        "not sure of": sum(one.is_unsure for one in facts.said),
        "withdrawals acknowledged": f"{len(facts.withdrawals):,}",
        "acknowledged within, p99": f"{took[int(len(took) * 0.99)]:.0f} ms, faults included",
        "entries of ledgers, chained": f"{len(facts.chain):,}",
    }
    _print(lines)


def conclude(seed: int, findings: Sequence[Finding]) -> None:
    """Say whether all is well."""
    print()
    for finding in findings:
        print(f"  VIOLATED  {finding}")
    print(f"Seed {seed}: {'every promise was kept' if not findings else 'promises broken'}.")


def _print(lines: Mapping[str, object]) -> None:
    print()
    for name, value in lines.items():
        print(f"  {name:<30} {value}")
