"""Measures the messages a second that a relay accepts, with all gates and outcomes."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench import servers
from bench.chaos import documents
from bench.chaos.recipients import noon_timezone
from bench.figures import Figure, middle
from bench.load import BenchmarkFailed
from bench.servers import ROOT, Database
from bench.sink import Sink
from bench.testbed import Testbed
from deploy.processes import PROCESSES

# The number of sending processes of `make run`.
SENDERS = 2
RATE_AIM = 833
OFFER: dict[str, Any] = {
    **documents.OFFER,
    "key": "bench-offer",
    "trigger": {"kind": "event", "event": "Bench Happened"},
    "steps": [{**documents.OFFER["steps"][0], "channels": ["email"]}],
}
# Seconds within which the processes are started.
_START_SECONDS = 4.0
_PREPARE_STATEMENT = (Path(__file__).parent / "prepare_messages.sql").read_text()
_SENT_MESSAGE = """
SELECT id, customer_id, version_id, step, facts::text FROM butler_message
 WHERE state = 'accepted' AND channel = 'email' ORDER BY id DESC LIMIT 1
"""


def figures(testbed: Testbed) -> list[Figure]:
    """Return the rate of sent messages, with plain smtplib as limit and tasks as baseline."""
    size = testbed.size
    with tempfile.TemporaryDirectory(prefix="butler-mail-") as name:
        folder = Path(name)
        butler, bare, baseline = [], [], []
        for round_ in range(size.message_rounds):
            with mail_relay(folder / f"{round_}", "bench_messages") as (sink, database):
                notice, version = load_offer(database)
                create_customers(database, size.messages, notice, version)
                servers.vacuum(database)
                butler.append(_butler(database, sink, size.messages))
                email = _save_sent_email(database, folder / "email")
                bare.append(_bare(email, sink, size.messages))
            with mail_relay(folder / f"{round_}-baseline", "bench_baseline") as (sink, database):
                settings = {"DJANGO_SETTINGS_MODULE": "bench.baseline.settings"}
                baseline_database = Database(database.url, {**database.env, **settings})
                customer_ids = [
                    str(customer_id)
                    for customer_id in testbed.baseline_customers[: size.baseline_messages]
                ]
                baseline.append(_baseline(baseline_database, sink, customer_ids))
    value = middle(butler)
    return [
        Figure(
            "messages accepted by an SMTP relay, every gate and outcome",
            value,
            "messages/s",
            limit=middle(bare),
            baseline=middle(baseline),
            aim=f"≥ {RATE_AIM}",
            met=value >= RATE_AIM,
        )
    ]


@contextmanager
def mail_relay(path: Path, database: str) -> Iterator[tuple[Sink, Database]]:
    """Run a relay; yield it with a database whose processes send to it."""
    with Sink.running(path) as sink:
        created = servers.create_database(database)
        yield sink, Database(created.url, {**created.env, "MAIL_URL": sink.url})


def load_offer(database: Database) -> tuple[str, int]:
    """Load the offer into the database; return the notice's digest and the version's id."""
    database.manage("migrate", "--verbosity=0")
    printed = run_python(database, "-m", "bench.messages", "furnish")
    return printed["notice"], printed["version"]


def create_customers(
    database: Database, count: int, notice: str, version: int | None = None
) -> str:
    """Create customers, each with a queued message if a version is given; return the run."""
    run = f"b{uuid4().hex[:10]}"
    settings = {
        "run": run,
        "count": count,
        "notice": notice,
        "version": version or "",
        "zone": noon_timezone(),
    }
    with database.connect() as connection, connection.transaction():
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, true)", [f"bench.{name}", str(value)])
        connection.execute(_PREPARE_STATEMENT)
    return run


def _butler(database: Database, sink: Sink, count: int) -> float:
    count_before = len(sink.received())
    times = _run_together(database, [["-m", "bench.sender", "email"] for _ in range(SENDERS)])
    received = sink.received()[count_before:]
    with database.connect() as connection:
        (waiting,) = connection.execute(
            "SELECT count(*) FROM butler_message WHERE state IN ('queued', 'sending')"
        ).fetchone() or (None,)
    if len({mail.message_id for mail in received}) < count or waiting:
        raise BenchmarkFailed(
            f"{len(received)} of {count} messages were sent, {waiting} are still waiting"
        )
    return count / _seconds(times)


def _bare(email: Path, sink: Sink, count: int) -> float:
    commands = [
        ["-m", "bench.sender", str(email), str(count // SENDERS), str(sink.port)]
        for _ in range(SENDERS)
    ]
    return count / _seconds(_run_together(None, commands))


def _seconds(times: Sequence[Mapping[str, float]]) -> float:
    return max(sender["ended"] for sender in times) - min(sender["began"] for sender in times)


def _run_together(
    database: Database | None, commands: Sequence[Sequence[str]]
) -> list[dict[str, float]]:
    """Run these commands at the same time. Each gets its start time as its third argument."""
    begins_at = time.monotonic() + _START_SECONDS
    env = {**os.environ, **(database.env if database else {}), "BUTLER_NOTIFY_WORKERS": "0"}
    running = []
    for command in commands:
        command_with_start = [*command[:3], str(begins_at), *command[3:]]
        running.append(
            subprocess.Popen(
                [sys.executable, *command_with_start],
                cwd=ROOT,
                env=env,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    outputs = [process.communicate(timeout=900)[0] for process in running]
    if any(process.returncode for process in running):
        raise BenchmarkFailed("a sending process ended with an error")
    return [json.loads(output.splitlines()[-1]) for output in outputs]


def _save_sent_email(database: Database, path: Path) -> Path:
    """Write a sent email to a file, for the senders without Butler; return the file."""
    run_python(database, "-m", "bench.messages", "email", str(path))
    return path


def _baseline(database: Database, sink: Sink, customers: Sequence[str]) -> float:
    """Send with one task with an ETA for each message; return the messages a second."""
    run_python(database, "-m", "bench.messages", "afternoon")
    start_process = [sys.executable, "-m", "celery", "--app", "bench.baseline.celery", "--quiet"]
    start_process += ["worker", "--concurrency", str(SENDERS), "--queues", "baseline"]
    process = subprocess.Popen(
        [*start_process, "--loglevel", "error", "--without-gossip", "--without-mingle"],
        cwd=ROOT,
        env={**database.env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        enqueued = run_python(
            database, "-m", "bench.messages", "enqueue", stdin=json.dumps(customers)
        )
        deadline = time.monotonic() + 60 + len(customers) / 5
        while len(received := sink.received()) < len(customers):
            if time.monotonic() > deadline:
                raise BenchmarkFailed(
                    f"the baseline sent {len(received)} of {len(customers)} messages"
                )
            time.sleep(0.1)
    finally:
        servers.stop_process(process)
    return len(customers) / (
        received[-1].received_at - max(enqueued["eta"], received[0].received_at)
    )


def run_python(database: Database, *arguments: str, stdin: str = "") -> dict[str, Any]:
    """Run Python in another process; return the JSON object of its last line.

    Raises BenchmarkFailed if the process fails.
    """
    process = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=dict(database.env),
        input=stdin,
        stdout=subprocess.PIPE,
        text=True,
    )
    if process.returncode:
        raise BenchmarkFailed(f"{' '.join(arguments)} ended with {process.returncode}")
    return dict(json.loads(process.stdout.splitlines()[-1]))


# In a process with Django ---------------------------------------------------------------


def _run_command(command: str, *arguments: str) -> dict[str, Any]:
    import django

    django.setup()
    return _COMMANDS[command](*arguments)


def _load_offer() -> dict[str, Any]:
    from django.utils import timezone

    from butler.models import AutomationVersion

    notice = documents.load(timezone.now(), OFFER)
    live = AutomationVersion.objects.get(automation="bench-offer", status="live")
    return {"notice": notice, "version": live.pk}


def _write_email(path: str) -> dict[str, Any]:
    from django.db import connection
    from django.utils import timezone

    from butler.automations import versions
    from butler.messages.render import render_stored
    from channels.email.mime import build_smtp_message
    from channels.protocol import ChannelMessage

    with connection.cursor() as cursor:
        cursor.execute(_SENT_MESSAGE)
        message, customer, version, step, context = cursor.fetchone()
    message_text = render_stored(
        versions.document_of(version),
        step=step,
        channel="email",
        context=json.loads(context),
        language="en",
        links={"site": "https://larkmoor.example", "why": "", "preferences": "", "unsubscribe": ""},
    )
    parcel = ChannelMessage(
        id=message,
        delivery_id=uuid4(),
        customer_id=customer,
        to="noor@example.com",
        language="en",
        subject=message_text.subject,
        text=message_text.text,
        html=message_text.html,
        message_class="marketing",
        topic=documents.OFFERS,
        unsubscribe_url="https://larkmoor.example/unsubscribe/" + "x" * 120,
    )
    return {"bytes": Path(path).write_bytes(build_smtp_message(parcel, now=timezone.now()).content)}


def _prepare_baseline() -> dict[str, Any]:
    """Create the tables of the baseline, and the rows of its customers that it checks."""
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", run_syncdb=True, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE baseline_sent")
        cursor.execute(
            "INSERT INTO baseline_identifier (customer_id, kind, value)"
            " SELECT id, 'email', id || '@example.com' FROM baseline_customer"
            " ON CONFLICT DO NOTHING"
        )
        cursor.execute(
            "INSERT INTO baseline_trait (customer_id, name, value, occurred_at)"
            " SELECT id, 'first_name', '\"Noor\"', now() FROM baseline_customer"
            " ON CONFLICT DO NOTHING"
        )
        cursor.execute(
            "INSERT INTO baseline_consent (customer_id, purpose, granted)"
            " SELECT id, 'offers', true FROM baseline_customer"
            " WHERE NOT EXISTS (SELECT FROM baseline_consent)"
        )
    return {}


def _enqueue() -> dict[str, Any]:
    from datetime import timedelta

    from django.utils import timezone

    # The baseline has no type hints.
    app = import_module("bench.baseline.celery").app
    send_offer = import_module("bench.baseline.tasks").send_offer
    customers = json.load(sys.stdin)
    with app.connection_or_acquire():
        delay = 1 + len(customers) / 500
        eta_monotonic, eta = time.monotonic() + delay, timezone.now() + timedelta(seconds=delay)
        for number, customer in enumerate(customers):
            send_offer.apply_async((customer, str(number)), eta=eta)
    return {"eta": max(eta_monotonic, time.monotonic())}


def _campaign(run: str, version: str) -> dict[str, Any]:
    """Start runs for the customers in steps of a thousand, like the fan-out of an audience."""
    from django.db import connection, transaction
    from django.utils import timezone
    from uuid_utils.compat import uuid7

    from butler.automations import triggers

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT customer_id FROM customers_identifier WHERE kind = 'user_id' AND value LIKE %s",
            [f"%/{run}-%"],
        )
        customer_ids = [id_ for (id_,) in cursor.fetchall()]
    began, now = time.monotonic(), timezone.now()
    for start in range(0, len(customer_ids), 1000):
        starts = [
            triggers.RunStart(
                run_id=uuid7(),
                decision_id=uuid7(),
                version_id=int(version),
                customer_id=customer_id,
                occasion=run,
                occurred_at=now,
                cause={},
                due_at=now,
            )
            for customer_id in customer_ids[start : start + 1000]
        ]
        with transaction.atomic():
            triggers.start_runs(starts, now=now)
    return {"began": began}


_COMMANDS: dict[str, Callable[..., dict[str, Any]]] = {
    "furnish": _load_offer,
    "email": _write_email,
    "afternoon": _prepare_baseline,
    "enqueue": _enqueue,
    "campaign": _campaign,
}


def start_process(database: Database, name: str) -> "subprocess.Popen[bytes]":
    """Start a worker or beat as `make run` does."""
    return subprocess.Popen(
        PROCESSES[name](database.env),
        cwd=ROOT,
        env=dict(database.env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    print(json.dumps(_run_command(*sys.argv[1:])))
    from django.db import connections

    connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own
