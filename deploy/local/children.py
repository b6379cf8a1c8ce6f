"""One child process of the supervisor: its start, its output and its end."""

import contextlib
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.account import Account

# The largest number of bytes in a line, to limit the memory for output without line ends.
LONGEST_LINE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: Path
    account: Account | None = None
    stop_signal: int = signal.SIGTERM
    stop_timeout: float = 12.0
    # A service starts before the other programs and ends after them.
    is_service: bool = False
    # The supervisor stores lines with one of these texts, but does not print them.
    hidden_texts: tuple[str, ...] = ()


@dataclass(slots=True)
class Child:
    program: Program
    process: subprocess.Popen[bytes]
    started_at: float = field(default_factory=time.monotonic)
    output: deque[str] = field(default_factory=lambda: deque(maxlen=200))
    # The child closed its output. It may still run.
    is_output_closed: bool = False
    _partial_line: bytes = b""

    @classmethod
    def start(cls, program: Program) -> "Child":
        """Start the program in a process group of its own; reads of its output do not block.

        Raises OSError if the program cannot be started.
        """
        process = subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=program.cwd,
            env=dict(program.environment),
            # A separate group: Ctrl-C reaches only the supervisor, which ends the children in
            # order. A signal to the group also reaches the grandchildren.
            start_new_session=True,
            **(program.account.popen_arguments if program.account else {}),
        )
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        return cls(program=program, process=process)

    @property
    def fd(self) -> int:
        """The file descriptor of the child's output."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def lines(self) -> Iterator[str]:
        """Yield the received complete lines; after the end of the output also the last part."""
        while chunk := self._chunk():
            *complete_lines, self._partial_line = (self._partial_line + chunk).split(b"\n")
            if len(self._partial_line) > LONGEST_LINE:
                complete_lines, self._partial_line = [*complete_lines, self._partial_line], b""
            yield from map(self._add_line, complete_lines)
        if self._partial_line and (self.is_output_closed or self.has_ended):
            partial_line, self._partial_line = self._partial_line, b""
            yield self._add_line(partial_line)

    def _chunk(self) -> bytes:
        if self.is_output_closed:
            return b""
        try:
            chunk = os.read(self.fd, LONGEST_LINE)
        except BlockingIOError:
            return b""
        self.is_output_closed = not chunk
        return chunk

    def _add_line(self, line: bytes) -> str:
        output = line.decode(errors="replace").rstrip()
        self.output.append(output)
        return output

    @property
    def has_ended(self) -> bool:
        """True if the process of the child has ended."""
        return self.process.poll() is not None

    @property
    def exit_description(self) -> str:
        """The end of the process in words, such as "ended with status 1"."""
        code = self.process.returncode
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with status {code}"

    def send_stop_signal(self) -> None:
        """Send the stop signal of the program to the child alone; do nothing if it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, self.program.stop_signal)

    def kill_group(self) -> None:
        """Kill the child and all other processes in its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Close our end of the output. The child may still run."""
        assert self.process.stdout is not None
        self.process.stdout.close()
