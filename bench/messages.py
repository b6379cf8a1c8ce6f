"""Messages that leave: how many a second a real relay accepts, with every gate and outcome."""

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

from bench import stage
from bench.arena import Arena
from bench.chaos import vocabulary
from bench.chaos.guests import where_it_is_noon
from bench.figures import Figure, middle
from bench.load import Failed
from bench.sink import Sink
from bench.stage import ROOT, Database
from deploy.processes import PROCESSES

# As many as send in `make run`.
SENDERS = 2
AIM = 833
OFFER: dict[str, Any] = {
    **vocabulary.OFFER,
    "key": "bench-offer",
    "trigger": {"kind": "event", "event": "Bench Happened"},
    "steps": [{**vocabulary.OFFER["steps"][0], "channels": ["email"]}],
}
# Seconds in which processes are up.
_START = 4.0
_PREPARE = (Path(__file__).parent / "prepare_messages.sql").read_text()
_LETTER = """
SELECT id, customer_id, version_id, step, facts::text FROM butler_message
 WHERE state = 'accepted' AND channel = 'email' ORDER BY id DESC LIMIT 1
"""


def rate(arena: Arena) -> list[Figure]:
    """Measure how many a second leave, beside bare smtplib and one task a message."""
    size = arena.size
    with tempfile.TemporaryDirectory(prefix="butler-mail-") as name:
        folder = Path(name)
        butler, bare, baseline = [], [], []
        for round_ in range(size.message_rounds):
            with relay(folder / f"{round_}", "bench_messages") as (sink, database):
                notice, version = furnish(database)
                people(database, size.messages, notice, version)
                stage.settle(database)
                butler.append(_butler(database, sink, size.messages))
                letter = _letter(database, folder / "letter")
                bare.append(_bare(letter, sink, size.messages))
            with relay(folder / f"{round_}-baseline", "bench_baseline") as (sink, database):
                settings = {"DJANGO_SETTINGS_MODULE": "bench.baseline.settings"}
                afternoon = Database(database.url, {**database.env, **settings})
                some = [str(one) for one in arena.baseline_customers[: size.baseline_messages]]
                baseline.append(_baseline(afternoon, sink, some))
    value = middle(butler)
    return [
        Figure(
            "messages accepted by an SMTP relay, every gate and outcome",
            value,
            "messages/s",
            limit=middle(bare),
            baseline=middle(baseline),
            aim=f"≥ {AIM}",
            met=value >= AIM,
        )
    ]


@contextmanager
def relay(path: Path, database: str) -> Iterator[tuple[Sink, Database]]:
    """Run a relay, and give a database whose processes send to it."""
    with Sink.running(path) as running:
        given = stage.database(database)
        yield running, Database(given.url, {**given.env, "MAIL_URL": running.url})


def furnish(database: Database) -> tuple[str, int]:
    """Give the database something to say; return the notice's digest and the version's id."""
    database.manage("migrate", "--verbosity=0")
    said = inside(database, "-m", "bench.messages", "furnish")
    return said["notice"], said["version"]


def people(database: Database, count: int, notice: str, version: int | None = None) -> str:
    """Make so many people, each with a message that waits if a version is given; return whose."""
    run = f"b{uuid4().hex[:10]}"
    told = {
        "run": run,
        "count": count,
        "notice": notice,
        "version": version or "",
        "zone": where_it_is_noon(),
    }
    with database.connect() as connection, connection.transaction():
        for name, value in told.items():
            connection.execute("SELECT set_config(%s, %s, true)", [f"bench.{name}", str(value)])
        connection.execute(_PREPARE)
    return run


def _butler(database: Database, relay: Sink, count: int) -> float:
    before = len(relay.taken())
    told = _race(database, [["-m", "bench.sender", "email"] for _ in range(SENDERS)])
    taken = relay.taken()[before:]
    with database.connect() as connection:
        (left,) = connection.execute(
            "SELECT count(*) FROM butler_message WHERE state IN ('queued', 'sending')"
        ).fetchone() or (None,)
    if len({one.message_id for one in taken}) < count or left:
        raise Failed(f"{len(taken)} of {count} messages were handed over, {left} are left")
    return count / _seconds(told)


def _bare(letter: Path, relay: Sink, count: int) -> float:
    commands = [
        ["-m", "bench.sender", str(letter), str(count // SENDERS), str(relay.port)]
        for _ in range(SENDERS)
    ]
    return count / _seconds(_race(None, commands))


def _seconds(told: Sequence[Mapping[str, float]]) -> float:
    return max(one["ended"] for one in told) - min(one["began"] for one in told)


def _race(database: Database | None, commands: Sequence[Sequence[str]]) -> list[dict[str, float]]:
    """Run these at once; each is told, after its module and what it is to send, when to begin."""
    begins = time.monotonic() + _START
    env = {**os.environ, **(database.env if database else {}), "BUTLER_WAKES": "0"}
    running = []
    for command in commands:
        timed = [*command[:3], str(begins), *command[3:]]
        running.append(
            subprocess.Popen(
                [sys.executable, *timed], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
            )
        )
    said = [process.communicate(timeout=900)[0] for process in running]
    if any(process.returncode for process in running):
        raise Failed("a process that sends ended with an error")
    return [json.loads(one.splitlines()[-1]) for one in said]


def _letter(database: Database, path: Path) -> Path:
    """Write down a letter as it was sent, for whoever sends it bare."""
    inside(database, "-m", "bench.messages", "letter", str(path))
    return path


def _baseline(database: Database, relay: Sink, customers: Sequence[str]) -> float:
    """Send by one task a message, each with an ETA, and see when the last was taken."""
    inside(database, "-m", "bench.messages", "afternoon")
    worker = [sys.executable, "-m", "celery", "--app", "bench.baseline.celery", "--quiet"]
    worker += ["worker", "--concurrency", str(SENDERS), "--queues", "baseline"]
    process = subprocess.Popen(
        [*worker, "--loglevel", "error", "--without-gossip", "--without-mingle"],
        cwd=ROOT,
        env={**database.env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        said = inside(database, "-m", "bench.messages", "enqueue", stdin=json.dumps(customers))
        deadline = time.monotonic() + 60 + len(customers) / 5
        while len(taken := relay.taken()) < len(customers):
            if time.monotonic() > deadline:
                raise Failed(f"the baseline sent {len(taken)} of {len(customers)} messages")
            time.sleep(0.1)
    finally:
        stage.end(process)
    return len(customers) / (taken[-1].at - max(said["eta"], taken[0].at))


def inside(database: Database, *arguments: str, stdin: str = "") -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=dict(database.env),
        input=stdin,
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise Failed(f"{' '.join(arguments)} ended with {done.returncode}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


# In a process with Django ---------------------------------------------------------------


def _inside(what: str, *arguments: str) -> dict[str, Any]:
    import django

    django.setup()
    return _INSIDE[what](*arguments)


def _furnish() -> dict[str, Any]:
    from django.utils import timezone

    from butler.models import AutomationVersion

    notice = vocabulary.load(timezone.now(), OFFER)
    live = AutomationVersion.objects.get(automation="bench-offer", status="live")
    return {"notice": notice, "version": live.pk}


def _seal(path: str) -> dict[str, Any]:
    from django.db import connection
    from django.utils import timezone

    from butler.messages.late_rendering import words_of
    from channels.email.letter import seal
    from channels.protocol import Parcel

    with connection.cursor() as cursor:
        cursor.execute(_LETTER)
        message, customer, version, step, facts = cursor.fetchone()
    words = words_of(
        version_id=version,
        step=step,
        channel="email",
        facts=json.loads(facts),
        language="en",
        links={"site": "https://larkmoor.example", "why": "", "preferences": "", "unsubscribe": ""},
    )
    parcel = Parcel(
        id=message,
        delivery_id=uuid4(),
        customer_id=customer,
        to="noor@example.com",
        language="en",
        subject=words.subject,
        text=words.text,
        html=words.html,
        message_class="marketing",
        topic=vocabulary.OFFERS,
        unsubscribe_url="https://larkmoor.example/unsubscribe/" + "x" * 120,
    )
    return {"bytes": Path(path).write_bytes(seal(parcel, now=timezone.now()).content)}


def _afternoon() -> dict[str, Any]:
    """Give the baseline its new tables, and its customers what the checks look for."""
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

    # Untyped, as an afternoon's project is.
    app = import_module("bench.baseline.celery").app
    send_offer = import_module("bench.baseline.tasks").send_offer
    customers = json.load(sys.stdin)
    with app.connection_or_acquire():
        later = 1 + len(customers) / 500
        at, eta = time.monotonic() + later, timezone.now() + timedelta(seconds=later)
        for number, customer in enumerate(customers):
            send_offer.apply_async((customer, str(number)), eta=eta)
    return {"eta": max(at, time.monotonic())}


def _campaign(run: str, version: str) -> dict[str, Any]:
    """Start a run for everybody, a thousand at a time, as an audience is."""
    from django.db import connection, transaction
    from django.utils import timezone
    from uuid_utils.compat import uuid7

    from butler.automations import triggers

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT customer_id FROM customers_identifier WHERE kind = 'user_id' AND value LIKE %s",
            [f"{run}-%"],
        )
        everybody = [id_ for (id_,) in cursor.fetchall()]
    began, now = time.monotonic(), timezone.now()
    for start in range(0, len(everybody), 1000):
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
            for customer_id in everybody[start : start + 1000]
        ]
        with transaction.atomic():
            triggers.start_runs(starts, now=now)
    return {"began": began}


_INSIDE: dict[str, Callable[..., dict[str, Any]]] = {
    "furnish": _furnish,
    "letter": _seal,
    "afternoon": _afternoon,
    "enqueue": _enqueue,
    "campaign": _campaign,
}


def worker(database: Database, name: str) -> "subprocess.Popen[bytes]":
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
    print(json.dumps(_inside(*sys.argv[1:])))
    from django.db import connections

    connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own
