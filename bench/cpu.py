"""Processor time of web and Postgres: it is comparable on a shared machine, a rate is not."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.servers import Database

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Seconds of processor time until now; only differences mean something."""

    web: float
    postgres: float

    def __sub__(self, other: "CpuTime") -> "CpuTime":
        return CpuTime(self.web - other.web, self.postgres - other.postgres)


class CpuMeter:
    """Reads the processor time of a server's workers and of Postgres, where it runs here."""

    def __init__(self, database: Database, workers: Iterable[int]) -> None:
        self._workers = list(workers)
        with database.connect() as connection:
            (backend,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
            assert isinstance(backend, int)
            self._postmaster = _parent(backend)

    def read(self) -> CpuTime:
        web = sum(_seconds(pid) for pid in self._workers)
        return CpuTime(web, self._of_postgres() if self._postmaster else 0.0)

    def _of_postgres(self) -> float:
        # What ended children took is added to their parent's account.
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
    # utime, stime, cutime, cstime are fields 14 to 17 of proc(5); the name took two away.
    fields = _fields(pid)[11 : 15 if with_ended else 13]
    return sum(map(int, fields)) / _TICKS
