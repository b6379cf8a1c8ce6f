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

from bench.carrier import Carrier
from bench.chaos import evidence, faults, outgoing_evidence, system
from bench.chaos.checker import Facts, Finding, check
from bench.chaos.faults import Recovery
from bench.chaos.guests import Guests, acknowledged
from bench.chaos.http import Connections
from bench.chaos.ledger import Ledger
from bench.chaos.load import Load, Pace
from bench.chaos.outgoing import Outgoing
from bench.chaos.outgoing import check as outgoing_check
from bench.chaos.readers import Reader
from bench.chaos.reports import conclude, report, report_outgoing
from bench.chaos.system import System
from bench.sink import Sink

# Seconds that may pass until everything was said: a lane that rested, an attempt after the next.
PATIENCE = 240.0


@dataclass(frozen=True)
class Plan:
    """How long and how hard. The full run claims a loss below one event in 100,000."""

    events: int = 320_000
    # At most; never more than half of what the system can take at the moment.
    per_second: float = 4000
    # How often each fault strikes.
    rounds: int = 2
    readers: int = 40
    # People who are written to, two events and five messages each.
    guests: int = 2_000
    seed: int = 1


# What fits into a minute: every fault once.
QUICK = Plan(events=20_000, per_second=1200, rounds=1, readers=20, guests=250)


@dataclass(frozen=True)
class Outcome:
    findings: Sequence[Finding]
    acknowledged: int
    facts: Facts
    outgoing: Outgoing
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
            with (
                Sink.running(folder / "letters") as relay,
                Carrier.running(folder / "texts") as carrier,
                system.running(folder, relay, carrier) as running,
                Ledger(folder / "ledger.jsonl") as ledger,
            ):
                return _run(plan, running, ledger)
        finally:
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                for kept in ("log", "ledger.jsonl", "letters", "texts"):
                    shutil.copy(folder / kept, keep)


def _run(plan: Plan, running: System, ledger: Ledger) -> Outcome:
    made = running.manage("create_source", "chaos", "--channel", "app", "--secret")
    source = json.loads(made.stdout.splitlines()[-1])
    url = running.services["DATABASE_URL"]
    load, readers, recoveries = asyncio.run(_play(plan, running, ledger, source["key"], url))
    outgoing = _outgoing(load, running, ledger)
    differing, told = _rebuilt(running)
    facts = evidence.gather(
        url, source["id"], watched=[r.watched() for r in readers], differing=differing
    )
    findings = [
        *check(ledger.requests, facts),
        *outgoing_check(outgoing),
        *_further(load, recoveries),
    ]
    stored = {event.message_id for event in ledger.acknowledged() if event.is_fit}
    report(load, readers, facts, len(stored), told)
    report_outgoing(load, outgoing)
    conclude(plan.seed, findings)
    return Outcome(findings, len(stored), facts, outgoing, recoveries)


async def _play(
    plan: Plan, running: System, ledger: Ledger, key: str, url: str
) -> tuple[Load, list[Reader], list[Recovery]]:
    pace = Pace(events=plan.events, per_second=plan.per_second, watched=plan.readers)
    async with Connections("127.0.0.1", running.port) as connections:
        load = Load(ledger, connections, key, pace, plan.seed)
        guests = load.guests = Guests(plan.guests, plan.seed, connections, key)
        # All has happened by the time of the last faults.
        pace.told = min(0.5, 2.5 * plan.guests / plan.events)
        await load.introduce()
        await guests.consent(evidence.customers(url, guests.owners), _vocabulary(running))
        records = evidence.customers(url, load.owners[: plan.readers])
        readers = [
            Reader("127.0.0.1", running.live_port, key, record) for record in records.values()
        ]
        following = [asyncio.create_task(reader.follow()) for reader in readers]
        await asyncio.sleep(1)
        most = await load.find_pace()
        _say(f"It takes {most:,.0f} events/s here; loading with {pace.per_second:,.0f}, and:")
        minds = asyncio.create_task(guests.change_their_minds())
        blows = asyncio.create_task(faults.inflict(running, load, rounds=plan.rounds, say=_say))
        await load.run(is_over=lambda: blows.done() and not guests.left)
        recoveries = await blows
        await load.settle()
        await _until_settled(guests)
        minds.cancel()
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


def _vocabulary(running: System) -> str:
    """Load what there is to say; return the digest of what customers agree to."""
    done = running.python("-m", "bench.chaos.vocabulary")
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    # What went live counts a little later, when every process has heard of it.
    time.sleep(4)
    return str(json.loads(done.stdout.splitlines()[-1])["notice"])


async def _until_settled(guests: Guests, *, patience: float = 60) -> None:
    deadline = time.monotonic() + patience
    while not guests.is_settled and time.monotonic() < deadline:  # noqa: ASYNC110 - counting needs no event of its own
        await asyncio.sleep(0.1)


def _outgoing(load: Load, running: System, ledger: Ledger) -> Outgoing:
    """Wait until everything was said that is to be said, and read what was."""
    assert load.guests is not None
    faults.until_awake()
    seconds = outgoing_evidence.until_done(running.services["DATABASE_URL"], patience=PATIENCE)
    _say(f"Everything was said {seconds:.1f} s after the last event.")
    told = {event.message_id for event in ledger.acknowledged()}
    return outgoing_evidence.gather(
        running.services,
        running.sink,
        running.carrier,
        mailboxes=load.guests.mailboxes,
        causes=acknowledged(load.guests.causes, told),
        withdrawals=load.guests.withdrawals,
    )


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
