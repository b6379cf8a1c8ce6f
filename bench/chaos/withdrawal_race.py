"""python -m bench.chaos.withdrawal_race [--pairs N]: withdrawals and handovers at the same time.

Several processes send messages while other processes withdraw the consents that the messages need,
at random times close to each other. All processes use one clock. No message may be handed over
after the withdrawal of its consent was acknowledged.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

_FOLDER = Path(__file__).parent
SENDERS, WITHDRAWERS = 2, 4
# A handover within these seconds before the acknowledgement counts as a close race.
CLOSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class RaceCounts:
    """Counts of a race: each pair is a withdrawal and two messages."""

    withdrawn: int
    handed_over: int
    # Messages handed over within CLOSE_SECONDS before the acknowledgement.
    close_handovers: int
    # Withdrawals whose answer named messages that were already sent.
    with_sent_messages: int
    suppressed: int
    late_handovers: int
    slowest_ms: float
    p99_ms: float


def run(url: str, *, pairs: int, per_second: float, seed: int = 1) -> RaceCounts:
    """Run the race on the migrated database with this URL; return the counts."""
    with tempfile.TemporaryDirectory(prefix="butler-race-") as name:
        folder = Path(name)
        insert_pairs(url, pairs=pairs, per_second=per_second, seed=seed)
        processes = [
            _start_process(url, role, number, folder, pairs, per_second, seed)
            for role, process_count in (("sender", SENDERS), ("withdrawer", WITHDRAWERS))
            for number in range(process_count)
        ]
        _begin_when_all_are_ready(processes, folder)
        codes = [process.wait(timeout=300 + 4 * pairs / per_second) for process in processes]
        if any(codes):
            raise RuntimeError(f"a process of the race ended with {codes}")
        return count_races(url, folder)


def _start_process(
    url: str,
    role: str,
    number: int,
    folder: Path,
    pairs: int,
    per_second: float,
    seed: int,
) -> "subprocess.Popen[bytes]":
    arguments = [role, number, folder, pairs, per_second, seed]
    return subprocess.Popen(
        [sys.executable, "-m", "bench.chaos.race_process", *map(str, arguments)],
        env={**os.environ, "DATABASE_URL": url, "BUTLER_NOTIFY_WORKERS": "0", "DEBUG": "0"},
        cwd=_FOLDER.parent.parent,
    )


def _begin_when_all_are_ready(processes: "list[subprocess.Popen[bytes]]", folder: Path) -> None:
    """Tell all processes the moment of the start, after each has written that it is ready.

    Raises RuntimeError if one of them ends before.
    """
    while len(list(folder.glob("ready-*"))) < len(processes):
        if any(process.poll() is not None for process in processes):
            raise RuntimeError("a process of the race ended before the start")
        time.sleep(0.02)
    written = folder / "start.new"
    written.write_text(str(time.monotonic() + 0.5))
    written.rename(folder / "start")


def insert_pairs(url: str, *, pairs: int, per_second: float, seed: int) -> None:
    """Create this number of customers with consent, and two queued messages for each."""
    statement = (_FOLDER / "prepare_withdrawal_race.sql").read_text()
    with psycopg.connect(url) as connection:
        connection.execute("SELECT set_config('butler.pairs', %s, false)", [str(pairs)])
        connection.execute(
            "SELECT set_config('butler.per_second', %s, false)", [str(float(per_second))]
        )
        connection.execute("SELECT setseed(%s)", [1 / (1 + seed)])
        connection.execute(statement)
        connection.commit()
        connection.autocommit = True
        connection.execute("ANALYZE")


def count_races(url: str, folder: Path) -> RaceCounts:
    """Compare the acknowledged withdrawals with the handovers."""
    withdrawals = {
        customer: (float(time), seconds, sent_count)
        for customer, time, seconds, sent_count in _lines(folder, "w")
    }
    handovers = [(customer, float(time)) for customer, time in _lines(folder, "s")]
    late_handovers = [
        customer
        for customer, time in handovers
        if customer in withdrawals and time > withdrawals[customer][0]
    ]
    close_handovers = [
        customer
        for customer, time in handovers
        if customer in withdrawals and 0 <= withdrawals[customer][0] - time <= CLOSE_SECONDS
    ]
    seconds = sorted(float(seconds) for _, seconds, _ in withdrawals.values())
    with psycopg.connect(url) as connection:
        (suppressed,) = connection.execute(
            "SELECT count(*) FROM butler_message WHERE state = 'suppressed'"
        ).fetchone() or (0,)
    return RaceCounts(
        withdrawn=len(withdrawals),
        handed_over=len(handovers),
        close_handovers=len(close_handovers),
        with_sent_messages=sum(sent_count != "0" for _, _, sent_count in withdrawals.values()),
        suppressed=suppressed,
        late_handovers=len(late_handovers),
        slowest_ms=seconds[-1] * 1000,
        p99_ms=seconds[int(len(seconds) * 0.99)] * 1000,
    )


def _lines(folder: Path, kind: str) -> Iterator[list[str]]:
    for path in folder.glob(f"{kind}-*"):
        for line in path.read_text().splitlines():
            yield line.split()


def report(counts: RaceCounts) -> str:
    """Return the counts as lines of text, for the terminal."""
    rows = {
        "withdrawals that were acknowledged (N)": counts.withdrawn,
        "messages handed over before": counts.handed_over,
        f"of them less than {CLOSE_SECONDS * 1000:.0f} ms before": counts.close_handovers,
        "withdrawals with messages already sent": counts.with_sent_messages,
        "messages suppressed": counts.suppressed,
        "acknowledged within, p99": f"{counts.p99_ms:.0f} ms",
        "acknowledged within, slowest": f"{counts.slowest_ms:.0f} ms",
        "HANDED OVER AFTER AN ACKNOWLEDGED WITHDRAWAL": counts.late_handovers,
    }
    return "\n".join(f"  {name:<46} {value}" for name, value in rows.items())


def main(arguments: list[str]) -> int:
    from bench import servers

    parser = argparse.ArgumentParser(
        prog="python -m bench.chaos.withdrawal_race", description=__doc__
    )
    quick = bool(os.environ.get("QUICK"))
    parser.add_argument("--pairs", type=int, default=5_000 if quick else 100_000)
    parser.add_argument("--rate", type=float, default=150, help="withdrawals a second")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    database = servers.create_database(f"withdrawal_race_{os.getpid()}")
    database.manage("migrate", "--verbosity=0")
    counts = run(database.url, pairs=options.pairs, per_second=options.rate, seed=options.seed)
    print(report(counts))
    return 1 if counts.late_handovers or counts.withdrawn < options.pairs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
