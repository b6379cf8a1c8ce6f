"""The chaos run: load the system, inject faults, wait for recovery, check the invariants."""

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
from bench.chaos import evidence, faults, outgoing_evidence
from bench.chaos.checker import Finding, Observations, check
from bench.chaos.faults import Recovery
from bench.chaos.http import Connections
from bench.chaos.load import Load, Pace
from bench.chaos.outgoing import OutgoingObservations
from bench.chaos.outgoing import check as outgoing_check
from bench.chaos.readers import Reader
from bench.chaos.recipients import Recipients, acknowledged_triggers
from bench.chaos.reports import print_conclusion, print_outgoing_report, print_report
from bench.chaos.request_log import RequestLog
from bench.chaos.system import System, running_system
from bench.sink import Sink

# Seconds until all messages are final, including cooldowns of a provider and repeated attempts.
TIMEOUT = 240.0


@dataclass(frozen=True)
class Plan:
    """The size of a run. The full run can show a loss below one event in 100,000."""

    events: int = 320_000
    # The largest rate. The run uses at most half of the measured capacity.
    per_second: float = 4000
    # The number of times that each fault is injected.
    rounds: int = 2
    readers: int = 40
    # Customers who receive messages, two events and five messages each.
    recipients: int = 2_000
    seed: int = 1


# A run of about a minute: each fault once.
QUICK = Plan(events=20_000, per_second=1200, rounds=1, readers=20, recipients=250)


@dataclass(frozen=True)
class RunOutcome:
    findings: Sequence[Finding]
    acknowledged: int
    observed: Observations
    outgoing: OutgoingObservations
    recoveries: Sequence[Recovery]


def run(plan: Plan, *, keep: Path | None = None) -> RunOutcome:
    """Start a system, inject all faults, and print the report.

    The request log and the logs of the system are copied to the folder `keep`, if given.
    """
    with tempfile.TemporaryDirectory(prefix="butler-chaos-") as file_name:
        folder = Path(file_name)
        # For root, the services run as another account, which must reach its data.
        folder.chmod(0o711)
        _print_line("Starting a separate system.")
        try:
            with (
                Sink.running(folder / "emails") as relay,
                Carrier.running(folder / "sms") as carrier,
                running_system(folder, relay, carrier) as system,
                RequestLog(folder / "requests.jsonl") as ledger,
            ):
                return _run_plan(plan, system, ledger)
        finally:
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                for file_name in ("log", "requests.jsonl", "emails", "sms"):
                    shutil.copy(folder / file_name, keep)


def _run_plan(plan: Plan, system: System, ledger: RequestLog) -> RunOutcome:
    printed = system.manage("create_source", "chaos", "--channel", "app", "--secret")
    source = json.loads(printed.stdout.splitlines()[-1])
    url = system.services["DATABASE_URL"]
    load, readers, recoveries = asyncio.run(_apply_load(plan, system, ledger, source["key"], url))
    outgoing = _read_outgoing(load, system, ledger)
    differing_records, rebuild_text = _check_rebuild(system)
    observed = evidence.read_observations(
        url,
        source["id"],
        watched_logs=[reader.watched_log() for reader in readers],
        differing_records=differing_records,
    )
    findings = [
        *check(ledger.requests, observed),
        *outgoing_check(outgoing),
        *_other_findings(load, recoveries),
    ]
    acknowledged_ids = {event.message_id for event in ledger.acknowledged() if event.is_valid}
    print_report(load, readers, observed, len(acknowledged_ids), rebuild_text)
    print_outgoing_report(load, outgoing)
    print_conclusion(plan.seed, findings)
    return RunOutcome(findings, len(acknowledged_ids), observed, outgoing, recoveries)


async def _apply_load(
    plan: Plan, system: System, ledger: RequestLog, key: str, url: str
) -> tuple[Load, list[Reader], list[Recovery]]:
    pace = Pace(events=plan.events, per_second=plan.per_second, watched_customers=plan.readers)
    async with Connections("127.0.0.1", system.port) as connections:
        load = Load(ledger, connections, key, pace, plan.seed)
        recipients = load.recipients = Recipients(plan.recipients, plan.seed, connections, key)
        # All events of recipients are sent before the last faults.
        pace.messaged_share = min(0.5, 2.5 * plan.recipients / plan.events)
        await load.identify_customers()
        await recipients.consent(
            evidence.customer_ids(url, recipients.owners), _load_documents(system)
        )
        customer_ids = evidence.customer_ids(url, load.owners[: plan.readers])
        readers = [
            Reader("127.0.0.1", system.live_port, key, customer_id)
            for customer_id in customer_ids.values()
        ]
        reader_tasks = [asyncio.create_task(reader.follow()) for reader in readers]
        await asyncio.sleep(1)
        capacity = await load.measure_capacity()
        _print_line(
            f"Capacity: {capacity:,.0f} events/s; load: {pace.per_second:,.0f} events/s. Faults:"
        )
        withdrawing = asyncio.create_task(recipients.withdraw_consents())
        injecting = asyncio.create_task(
            faults.inject_faults(system, load, rounds=plan.rounds, print_line=_print_line)
        )
        await load.run(is_over=lambda: injecting.done() and not recipients.pending_count)
        recoveries = await injecting
        await load.resend_unanswered()
        await _wait_for_withdrawals(recipients)
        withdrawing.cancel()
        await _wait_for_readers(readers, url)
        for task in reader_tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*reader_tasks)
    return load, readers, recoveries


def _print_line(line: str) -> None:
    print(line, flush=True)


async def _wait_for_readers(readers: Sequence[Reader], url: str, *, seconds: float = 30) -> None:
    """Wait until the readers have received all events of their customers."""
    customer_versions = await asyncio.to_thread(
        evidence.customer_versions, url, [reader.customer_id for reader in readers]
    )
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if all(reader.version >= customer_versions[reader.customer_id] for reader in readers):
            # Wait a moment: an event that arrives now would be a duplicate.
            await asyncio.sleep(1)
            return
        await asyncio.sleep(0.1)


def _load_documents(system: System) -> str:
    """Load the automations; return the digest of the notice."""
    process = system.python("-m", "bench.chaos.documents")
    if process.returncode:
        raise RuntimeError(process.stderr[-2000:])
    # All processes need a moment to learn about the live automations.
    time.sleep(4)
    return str(json.loads(process.stdout.splitlines()[-1])["notice"])


async def _wait_for_withdrawals(recipients: Recipients, *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not recipients.has_withdrawn_all and time.monotonic() < deadline:  # noqa: ASYNC110 - counting needs no event of its own
        await asyncio.sleep(0.1)


def _read_outgoing(load: Load, system: System, ledger: RequestLog) -> OutgoingObservations:
    """Wait until all messages are final, and read them."""
    assert load.recipients is not None
    faults.wait_until_resumed()
    seconds = outgoing_evidence.wait_until_finished(
        system.services["DATABASE_URL"], timeout=TIMEOUT
    )
    _print_line(f"All messages were final {seconds:.1f} s after the last event.")
    acknowledged_ids = {event.message_id for event in ledger.acknowledged()}
    return outgoing_evidence.read_observations(
        system.services,
        system.sink,
        system.carrier,
        email_addresses=load.recipients.email_addresses,
        trigger_events=acknowledged_triggers(load.recipients.trigger_events, acknowledged_ids),
        withdrawals=load.recipients.withdrawals,
    )


def _check_rebuild(system: System) -> tuple[int, str]:
    """Compare the records with the projections of their logs."""
    process = system.manage("rebuild", "--check")
    last_line = (process.stdout.strip() or process.stderr.strip()).splitlines()[-1:]
    differences = re.search(r"(\d+) differences", process.stdout)
    difference_count = int(differences[1]) if differences else 1
    return difference_count or int(process.returncode != 0), "".join(last_line)


def _other_findings(load: Load, recoveries: Sequence[Recovery]) -> list[Finding]:
    """Return the findings about recoveries, statuses and headers."""
    findings = [
        Finding("recovery", f"after {recovery.fault}, the system did not recover")
        for recovery in recoveries
        if recovery.seconds == float("inf")
    ]
    if load.stats.without_retry_after:
        description = f"{load.stats.without_retry_after} answers with 503 and no Retry-After"
        findings.append(Finding("C10", description))
    if server_errors := load.stats.statuses["500"]:
        findings.append(Finding("C11", f"{server_errors} answers with status 500"))
    return findings
