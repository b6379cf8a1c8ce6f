"""The supervisor restarts children that die, and stops all of them at its end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.conftest import ROOT, command_of, processes_of
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc"),
]

# Ignores every polite request, and has a child that left its group.
STUBBORN = """
import os, signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
child = "import time; print('stray', flush=True); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", child], start_new_session=True)
print("up", os.getpid(), flush=True)
time.sleep(600)
"""
SUPERVISE = """
import os, sys
from pathlib import Path
from deploy.local.children import Program
from deploy.local.home import Home
from deploy.local.supervisor import Interrupted, Supervisor
home = Home(Path(os.environ["BUTLER_HOME"]))
home.lock()
with Supervisor(home) as supervisor:
    supervisor.start(Program(name="child", command=(sys.executable, "-c", sys.argv[1]),
        environment=os.environ, cwd=home.path, stop_timeout=1.0))
    try:
        supervisor.watch()
    except Interrupted:
        print("butler: stopping", flush=True)
"""


@pytest.fixture
def supervise(home):
    started = []

    def supervise(child):
        process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, child],
            cwd=ROOT,
            env={**os.environ, "BUTLER_HOME": str(home), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield supervise
    for process in started:
        process.terminate()
        process.communicate()


def test_child_that_ignores_signals_is_killed_with_its_stray(supervise, home):
    process = supervise(STUBBORN)
    lines = {process.stdout.readline().split("|")[-1].split()[0] for _ in range(2)}
    assert lines == {"up", "stray"}

    process.terminate()
    output, _ = process.communicate(timeout=20)

    assert "butler: child did not end and was killed" in output
    assert processes_of(home) == set()


def test_child_that_ignores_signals_does_not_outlive_a_killed_supervisor(supervise, home):
    process = supervise(STUBBORN.replace(", start_new_session=True", ""))
    process.stdout.readline()

    process.kill()

    wait_until(lambda: processes_of(home) == set())


def test_killed_child_is_reported_and_restarted(supervise):
    process = supervise(STUBBORN)
    pids = []
    while len(pids) < 2:
        line = process.stdout.readline()
        if "| up" in line:
            pids.append(int(line.split()[-1]))
            if len(pids) == 1:
                os.kill(pids[0], signal.SIGKILL)
        if "was killed" in line:
            exit_line = line

    assert exit_line.startswith("butler: child was killed by SIGKILL. Its last lines:")
    assert pids[0] != pids[1]


def test_crashing_child_is_restarted_with_growing_delay(supervise):
    process = supervise("import sys; print('no'); sys.exit(3)")
    pauses = []
    while len(pauses) < 4:
        line = process.stdout.readline()
        if "butler: restarting " in line:
            pauses.append(float(line.split()[-2]))

    assert pauses == [0.2, 0.4, 0.8, 1.6]


def test_killed_watchdog_is_replaced(supervise, home):
    process = supervise("import os; print('up', os.getpid(), flush=True); input()" + STUBBORN)
    process.stdout.readline()
    (watchdog,) = [pid for pid in processes_of(home) if b"watchdog" in command_of(pid)]
    os.kill(watchdog, signal.SIGKILL)
    wait_until(lambda: [pid for pid in processes_of(home) if _is_new_watchdog(pid, watchdog)])

    process.kill()

    wait_until(lambda: processes_of(home) == set())


def test_child_that_closes_its_output_costs_no_cpu(supervise):
    process = supervise(
        "import os, time; print('up', flush=True); os.close(1); os.close(2); time.sleep(60)"
    )
    process.stdout.readline()
    before = _cpu_seconds(process.pid)

    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=2)

    assert _cpu_seconds(process.pid) - before < 0.5


def _is_new_watchdog(pid, old):
    return pid != old and b"watchdog" in command_of(pid)


def _cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
