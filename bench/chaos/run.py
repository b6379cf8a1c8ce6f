"""The chaos run: load, kill, let it settle, count."""

import asyncio
import contextlib
import json
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.chaos import evidence, faults, system
from bench.chaos.checker import Facts, Finding, check
from bench.chaos.faults import Recovery
from bench.chaos.http import Connections
from bench.chaos.ledger import Ledger
from bench.chaos.load import Load, Pace
from bench.chaos.readers import Reader
from bench.chaos.system import System


@dataclass(frozen=True)
class Plan:
    """How long and how hard. The full run claims a loss below one event in 100,000."""

    events: int = 320_000
    # At most; never more than half of what the system can take at the moment.
    per_second: float = 4000
    # How often each fault strikes.
    rounds: int = 2
    readers: int = 40
    seed: int = 1


# What fits into a minute: every fault once.
QUICK = Plan(events=20_000, per_second=1200, rounds=1, readers=20)


@dataclass(frozen=True)
class Outcome:
    findings: Sequence[Finding]
    acknowledged: int
    facts: Facts
    recoveries: Sequence[Recovery]


def run(plan: Plan, *, keep: Path | None = None) -> Outcome:
    """Start a system of its own, do everything to it, and print what became of every event.

    The ledger and what the system said are kept in the folder `keep`, if there is one.
    """
    with tempfile.TemporaryDirectory(prefix="butler-chaos-") as name:
        folder = Path(name)
        # The services run as somebody else when we are root, and have to get to their data.
        folder.chmod(0o711)
        _say("Starting a system of its own.")
        try:
            with system.running(folder) as running, Ledger(folder / "ledger.jsonl") as ledger:
                return _run(plan, running, ledger)
        finally:
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                for kept in ("log", "ledger.jsonl"):
                    shutil.copy(folder / kept, keep)


def _run(plan: Plan, running: System, ledger: Ledger) -> Outcome:
    made = running.manage("create_source", "chaos", "--channel", "app", "--secret")
    source = json.loads(made.stdout.splitlines()[-1])
    url = running.services["DATABASE_URL"]
    load, readers, recoveries = asyncio.run(_play(plan, running, ledger, source["key"], url))
    differing, told = _rebuilt(running)
    facts = evidence.gather(
        url, source["id"], watched=[r.watched() for r in readers], differing=differing
    )
    findings = [*check(ledger.requests, facts), *_further(load, recoveries)]
    acknowledged = {event.message_id for event in ledger.acknowledged() if event.is_fit}
    _report(plan, load, readers, facts, len(acknowledged), findings, told)
    return Outcome(findings, len(acknowledged), facts, recoveries)


async def _play(
    plan: Plan, running: System, ledger: Ledger, key: str, url: str
) -> tuple[Load, list[Reader], list[Recovery]]:
    pace = Pace(events=plan.events, per_second=plan.per_second, watched=plan.readers)
    async with Connections("127.0.0.1", running.port) as connections:
        load = Load(ledger, connections, key, pace, plan.seed)
        await load.introduce()
        records = evidence.customers(url, load.owners[: plan.readers])
        readers = [
            Reader("127.0.0.1", running.live_port, key, record) for record in records.values()
        ]
        following = [asyncio.create_task(reader.follow()) for reader in readers]
        await asyncio.sleep(1)
        most = await load.find_pace()
        _say(f"It takes {most:,.0f} events/s here; loading with {pace.per_second:,.0f}, and:")
        blows = asyncio.create_task(faults.inflict(running, load, rounds=plan.rounds, say=_say))
        await load.run(is_over=blows.done)
        recoveries = await blows
        await load.settle()
        await _until_read(readers, url)
        for task in following:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*following)
    return load, readers, recoveries


def _say(line: str) -> None:
    print(line, flush=True)


async def _until_read(readers: Sequence[Reader], url: str, *, patience: float = 30) -> None:
    """Give the readers the time to get to the heads of their logs."""
    heads = await asyncio.to_thread(evidence.heads, url, [r.customer_id for r in readers])
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if all(reader.at >= heads[reader.customer_id] for reader in readers):
            # Whatever comes now would be one too many.
            await asyncio.sleep(1)
            return
        await asyncio.sleep(0.1)


def _rebuilt(running: System) -> tuple[int, str]:
    """Have the records compared with what their logs amount to."""
    done = running.manage("rebuild", "--check")
    told = (done.stdout.strip() or done.stderr.strip()).splitlines()[-1:]
    found = re.search(r"(\d+) differences", done.stdout)
    differing = int(found[1]) if found else 1
    return differing or int(done.returncode != 0), "".join(told)


def _further(load: Load, recoveries: Sequence[Recovery]) -> list[Finding]:
    """Find what is wrong besides the events themselves."""
    findings = [
        Finding("recovery", f"after {one.fault} it did not get well again")
        for one in recoveries
        if one.seconds == float("inf")
    ]
    if load.seen.without_retry_after:
        what = f"{load.seen.without_retry_after} times unavailable without Retry-After"
        findings.append(Finding("C10", what))
    if wrong := load.seen.statuses["500"]:
        findings.append(Finding("C11", f"{wrong} answers with status 500"))
    return findings


def _report(
    plan: Plan,
    load: Load,
    readers: Sequence[Reader],
    facts: Facts,
    acknowledged: int,
    findings: Sequence[Finding],
    rebuilt: str,
) -> None:
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
    print()
    for name, value in lines.items():
        print(f"  {name:<30} {value}")
    print()
    for finding in findings:
        print(f"  VIOLATED  {finding}")
    print(f"Seed {plan.seed}: {'every promise was kept' if not findings else 'promises broken'}.")
