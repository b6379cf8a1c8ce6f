"""Ends what a killed supervisor left running.

Reads `add PID SIGNAL` and `gone PID` lines from the supervisor. When the pipe closes, the
supervisor is no more: every process (with its group, if it leads one) that is still on the
list is asked to end, then made to.
It also holds the lock of the home until then, so that the next start waits for it.
"""

import contextlib
import os
import signal
import sys
import time

PATIENCE = 10.0


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, int] = {}
    for line in sys.stdin:
        verb, pid, *rest = line.split()
        if verb == "add":
            groups[int(pid)] = int(rest[0])
        else:
            groups.pop(int(pid), None)
    end_groups(groups)


def end_groups(groups: dict[int, int]) -> None:
    """Ask each process group to end by its own signal, and kill those that do not."""
    for group, number in groups.items():
        send(group, number)
    deadline = time.monotonic() + PATIENCE
    while any(send(group, 0) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in groups:
        send(group, signal.SIGKILL)


def send(pid: int, number: int) -> bool:
    """Signal the group that a process leads, or else the process; tell whether it was there."""
    for deliver in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            try:
                deliver(pid, number)
            except PermissionError:
                # It exists, as somebody else by now.
                return False
            return True
    return False


if __name__ == "__main__":
    main()
