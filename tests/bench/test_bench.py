"""The whole of `make bench`, with numbers so small that they mean nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, "QUICK": "tiny"},
        capture_output=True,
        text=True,
        timeout=400,
    )


def test_everything_is_measured_and_written_down(tmp_path):
    results = tmp_path / "results.json"

    done = _run("bench", f"--results={results}")

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    figures = {row["figure"]: row for row in json.loads(results.read_text())}
    judged = [name for name, row in figures.items() if row["met"] is not None]
    assert len(judged) == 23
    assert all(row["value"] > 0 for name, row in figures.items() if name in judged[:4])
    batch = next(row for name, row in figures.items() if name.startswith("batch ingest (100"))
    assert batch["of_limit"] == pytest.approx(batch["value"] / batch["limit"], abs=0.001)
    assert batch["limit"] > 0
    assert batch["baseline"] > 0

    # In the same databases, which take a while to make.
    explained = _run("bench.explain")
    assert explained.returncode == 0, explained.stderr[-3000:]
    assert explained.stdout.count("Execution Time") == 23


def test_a_measure_that_does_not_exist_is_refused():
    done = _run("bench", "miracles")

    assert done.returncode == 2
    assert "there is no miracles" in done.stderr
