"""Ends what a killed supervisor left running.

Reads `add PID SIGNAL` and `remove PID` lines from the supervisor. When the pipe closes, the
supervisor is no more: every process (with its group, if it leads one) that is still on the
list is asked to end, then made to.
It also holds the lock of the home until then, so that the next start waits for it.
"""

import contextlib
import os
import signal
import sys
import time

TIMEOUT = 10.0


def main() -> None:
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, signal.SIG_IGN)
    groups: dict[int, int] = {}
    for line in sys.stdin:
        command, pid, *rest = line.split()
        if command == "add":
            groups[int(pid)] = int(rest[0])
        else:
            groups.pop(int(pid), None)
    stop_groups(groups)


def stop_groups(groups: dict[int, int]) -> None:
    """Ask each process group to end by its own signal, and kill those that do not."""
    for group, signal_number in groups.items():
        send_signal(group, signal_number)
    deadline = time.monotonic() + TIMEOUT
    while any(send_signal(group, 0) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in groups:
        send_signal(group, signal.SIGKILL)


def send_signal(pid: int, signal_number: int) -> bool:
    """Signal the group that a process leads, or else the process; tell whether it was there."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            try:
                kill(pid, signal_number)
            except PermissionError:
                # It exists, as somebody else by now.
                return False
            return True
    return False


if __name__ == "__main__":
    main()
