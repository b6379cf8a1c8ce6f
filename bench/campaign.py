"""Measures a campaign: one message to each customer who consented, through all gates."""

import tempfile
import time
from pathlib import Path

from bench import end_to_end, messages, servers
from bench.figures import Figure, tidy
from bench.load import BenchmarkFailed
from bench.servers import Server
from bench.sink import Sink
from bench.testbed import Testbed

# The allowed growth of a worker's memory from a fifth of the campaign to its end, in MB.
MEMORY_GROWTH_AIM = 20.0


def figures(testbed: Testbed) -> list[Figure]:
    """Return the customers a second from start to last email, and the memory of the workers."""
    count = testbed.size.campaign
    with (
        tempfile.TemporaryDirectory(prefix="butler-campaign-") as name,
        messages.mail_relay(Path(name) / "emails", "bench_end_to_end") as (sink, database),
    ):
        notice, version = messages.load_offer(database)
        run = messages.create_customers(database, count, notice)
        servers.vacuum(database)
        with end_to_end.running_processes(database) as (_, worker):
            campaign = messages.run_python(
                database, "-m", "bench.messages", "campaign", run, str(version)
            )
            memory_at_fifth = _until(sink, run, count // 5, worker)
            memory_at_end = _until(sink, run, count, worker)
        ended_at = max(mail.received_at for mail in sink.received())
    growth = tidy(memory_at_end - memory_at_fifth)
    return [
        Figure(
            f"campaign to {count:,} customers, every gate, to the last email",
            tidy(count / (ended_at - campaign["began"])),
            "customers/s",
        ),
        Figure(
            "campaign: growth of the largest worker after a fifth of it",
            growth,
            "MB",
            aim=f"< {MEMORY_GROWTH_AIM:.0f}",
            met=growth < MEMORY_GROWTH_AIM,
        ),
    ]


def _until(sink: Sink, run: str, count: int, worker: Server) -> float:
    """Wait for this number of emails; return the memory of the largest worker then, in MB."""
    deadline = time.monotonic() + 60 + count / 20
    while (count_received := _count_emails(sink, run)) < count:
        if time.monotonic() > deadline:
            raise BenchmarkFailed(
                f"{count_received} of {count} emails of the campaign were received"
            )
        time.sleep(0.5)
    return max(servers.resident_memory(worker.workers()))


def _count_emails(sink: Sink, run: str) -> int:
    return len(
        {mail.message_id for mail in sink.received() if mail.recipient.startswith(f"{run}-")}
    )
