"""Reads the processor time of web and Postgres. Unlike a rate, it is comparable on any load."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.servers import Database

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Seconds of processor time until now. Only differences are meaningful."""

    web: float
    postgres: float

    def __sub__(self, other: "CpuTime") -> "CpuTime":
        return CpuTime(self.web - other.web, self.postgres - other.postgres)


class CpuMeter:
    """Reads the processor time of a server's workers, and of Postgres if it runs here."""

    def __init__(self, database: Database, workers: Iterable[int]) -> None:
        self._workers = list(workers)
        with database.connect() as connection:
            (backend,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
            assert isinstance(backend, int)
            self._postmaster = _parent(backend)

    def read(self) -> CpuTime:
        """Return the seconds of processor time until now; 0 for a Postgres on another machine."""
        web = sum(_seconds(pid) for pid in self._workers)
        return CpuTime(web, self._of_postgres() if self._postmaster else 0.0)

    def _of_postgres(self) -> float:
        # The time of ended children is added to that of their parent.
        children = Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children").read_text()
        running = sum(_seconds(int(pid)) for pid in children.split())
        return running + _seconds(self._postmaster, with_ended=True)


def _fields(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _parent(pid: int) -> int:
    fields = _fields(pid)
    return int(fields[1]) if fields else 0


def _seconds(pid: int, *, with_ended: bool = False) -> float:
    # utime, stime, cutime, cstime are fields 14 to 17 of proc(5). The first two were removed.
    fields = _fields(pid)[11 : 15 if with_ended else 13]
    return sum(map(int, fields)) / _TICKS
