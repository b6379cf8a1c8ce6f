"""python -m bench.chaos.wall [--pairs N]: withdrawals and hand-overs that cross each other.

Several processes hand messages over while several others withdraw the consent that the
messages need, each at a random moment around the other. One clock for all of them: nothing
may be handed over after its withdrawal was acknowledged, not by a microsecond.
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
# A hand-over this shortly before its acknowledgement was a race.
CLOSE = 0.05


@dataclass(frozen=True, slots=True)
class Races:
    """What became of so many pairs of a withdrawal and two messages."""

    withdrawn: int
    handed_over: int
    # Messages that left within moments of the acknowledgement, and before it.
    close: int
    # Withdrawals that were told of something that had already left.
    told: int
    kept_back: int
    after: int
    slowest_ms: float
    p99_ms: float


def run(url: str, *, pairs: int, per_second: float, seed: int = 1) -> Races:
    """Race on the database at this address, which is migrated."""
    with tempfile.TemporaryDirectory(prefix="butler-wall-") as name:
        folder = Path(name)
        prepare(url, pairs=pairs, per_second=per_second, seed=seed)
        # Everybody sets out at the same moment, once all have started.
        begins = time.monotonic() + 4.0
        hands = [
            _hand(url, role, number, folder, begins, pairs, per_second, seed)
            for role, many in (("sender", SENDERS), ("withdrawer", WITHDRAWERS))
            for number in range(many)
        ]
        codes = [hand.wait(timeout=60 + 4 * pairs / per_second) for hand in hands]
        if any(codes):
            raise RuntimeError(f"a process of the race ended with {codes}")
        return judge(url, folder)


def _hand(
    url: str,
    role: str,
    number: int,
    folder: Path,
    begins: float,
    pairs: int,
    per_second: float,
    seed: int,
) -> "subprocess.Popen[bytes]":
    arguments = [role, number, folder, begins, pairs, per_second, seed]
    return subprocess.Popen(
        [sys.executable, "-m", "bench.chaos.hands", *map(str, arguments)],
        env={**os.environ, "DATABASE_URL": url, "BUTLER_WAKES": "0", "DEBUG": "0"},
        cwd=_FOLDER.parent.parent,
    )


def prepare(url: str, *, pairs: int, per_second: float, seed: int) -> None:
    """Make so many customers who consented, and two messages that wait for each of them."""
    statement = (_FOLDER / "prepare_wall.sql").read_text()
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


def judge(url: str, folder: Path) -> Races:
    """Compare what was acknowledged with what was handed over."""
    said = {customer: (float(at), took, left) for customer, at, took, left in _lines(folder, "w")}
    handed = [(customer, float(at)) for customer, at in _lines(folder, "s")]
    after = [one for one, at in handed if one in said and at > said[one][0]]
    close = [one for one, at in handed if one in said and 0 <= said[one][0] - at <= CLOSE]
    took = sorted(float(took) for _, took, _ in said.values())
    with psycopg.connect(url) as connection:
        (kept_back,) = connection.execute(
            "SELECT count(*) FROM butler_message WHERE state = 'suppressed'"
        ).fetchone() or (0,)
    return Races(
        withdrawn=len(said),
        handed_over=len(handed),
        close=len(close),
        told=sum(left != "0" for _, _, left in said.values()),
        kept_back=kept_back,
        after=len(after),
        slowest_ms=took[-1] * 1000,
        p99_ms=took[int(len(took) * 0.99)] * 1000,
    )


def _lines(folder: Path, kind: str) -> Iterator[list[str]]:
    for path in folder.glob(f"{kind}-*"):
        for line in path.read_text().splitlines():
            yield line.split()


def report(races: Races) -> str:
    rows = {
        "withdrawals that were acknowledged (N)": races.withdrawn,
        "messages handed over before": races.handed_over,
        f"of them less than {CLOSE * 1000:.0f} ms before": races.close,
        "withdrawals told of what had left": races.told,
        "messages kept back": races.kept_back,
        "acknowledged within, p99": f"{races.p99_ms:.0f} ms",
        "acknowledged within, slowest": f"{races.slowest_ms:.0f} ms",
        "HANDED OVER AFTER AN ACKNOWLEDGED WITHDRAWAL": races.after,
    }
    return "\n".join(f"  {name:<46} {value}" for name, value in rows.items())


def main(arguments: list[str]) -> int:
    from bench import stage

    parser = argparse.ArgumentParser(prog="python -m bench.chaos.wall", description=__doc__)
    quick = bool(os.environ.get("QUICK"))
    parser.add_argument("--pairs", type=int, default=5_000 if quick else 100_000)
    parser.add_argument("--rate", type=float, default=150, help="withdrawals a second")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    database = stage.database(f"wall_{os.getpid()}")
    database.manage("migrate", "--verbosity=0")
    races = run(database.url, pairs=given.pairs, per_second=given.rate, seed=given.seed)
    print(report(races))
    return 1 if races.after or races.withdrawn < given.pairs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
