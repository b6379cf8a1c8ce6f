"""Runs one command with its own services, and always ends them afterwards."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from deploy.local import services
from deploy.local.errors import SetupError
from deploy.local.home import Home
from deploy.local.supervisor import Interrupted, Supervisor


def with_services(command: Sequence[str], *, temporary: bool) -> int:
    """Run a command with services; return its exit status.

    The services run in BUTLER_HOME, or in a temporary home if `temporary` is true or BUTLER_HOME is
    not set.
    """
    with contextlib.ExitStack() as stack:
        temporary = temporary or not os.environ.get("BUTLER_HOME")
        if temporary:
            home = stack.enter_context(services.temporary_home())
        else:
            home = Home(services.home_folder())
        home.lock()
        supervisor = stack.enter_context(Supervisor(home, is_verbose=False))
        try:
            urls = services.start(supervisor, temporary=temporary)
            return _run(supervisor, command, services.environment(home, urls))
        except Interrupted:
            return 128 + supervisor.stop_signal


def _run(supervisor: Supervisor, command: Sequence[str], environment: dict[str, str]) -> int:
    try:
        # The command runs in the same process group and terminal, so that debuggers and Ctrl-C
        # work.
        process = subprocess.Popen(command, env=environment)
    except OSError as error:
        raise SetupError(f"Butler cannot start {command[0]}: {error.strerror}") from error
    supervisor.add_to_watchdog(process)
    try:
        while process.poll() is None:
            supervisor.restart_ended(0.2)
    except Interrupted:
        _stop(process, supervisor.stop_signal)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _stop(process: subprocess.Popen[bytes], signal_number: int) -> None:
    """Signal the command and wait 30 s for its end. At a terminal, Ctrl-C already reached it."""
    if signal_number != signal.SIGINT or not sys.stdin.isatty():
        process.send_signal(signal_number)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=30)
