"""Ends the processes of a killed supervisor.

Reads lines `add PID SIGNAL` and `remove PID` from the supervisor. When the pipe closes, the
supervisor has ended. The watchdog then sends each listed process (and its group, if it leads one)
its signal, and kills it after a timeout. Until then it holds the lock of the home, so that the next
start waits.
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
    """Send each process group its signal; kill the groups that still run after the timeout."""
    for group, signal_number in groups.items():
        send_signal(group, signal_number)
    deadline = time.monotonic() + TIMEOUT
    while any(send_signal(group, 0) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in groups:
        send_signal(group, signal.SIGKILL)


def send_signal(pid: int, signal_number: int) -> bool:
    """Send a signal to the group of a process, or else to the process; return if it exists."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            try:
                kill(pid, signal_number)
            except PermissionError:
                # Another user's process has this number now.
                return False
            return True
    return False


if __name__ == "__main__":
    main()
