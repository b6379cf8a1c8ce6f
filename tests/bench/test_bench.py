"""The whole of `make bench`, with numbers so small that they mean nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import size

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def _run_module(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, "QUICK": "tiny"},
        capture_output=True,
        text=True,
        timeout=400,
    )


@size.only_long
def test_all_measures_write_their_figures(tmp_path):
    results = tmp_path / "results.json"

    process = _run_module("bench", f"--results={results}")

    assert process.returncode == 0, process.stdout[-3000:] + process.stderr[-3000:]
    figures = {row["figure"]: row for row in json.loads(results.read_text())}
    figures_with_aim = [name for name, row in figures.items() if row["met"] is not None]
    assert len(figures_with_aim) == 23
    assert all(row["value"] > 0 for name, row in figures.items() if name in figures_with_aim[:4])
    batch = next(row for name, row in figures.items() if name.startswith("batch ingest (100"))
    assert batch["of_limit"] == pytest.approx(batch["value"] / batch["limit"], abs=0.001)
    assert batch["limit"] > 0
    assert batch["baseline"] > 0

    # In the same databases, which take a while to make.
    explained = _run_module("bench.explain")
    assert explained.returncode == 0, explained.stderr[-3000:]
    assert explained.stdout.count("Execution Time") == 23


def test_unknown_measure_is_refused():
    process = _run_module("bench", "miracles")

    assert process.returncode == 2
    assert "unknown benchmark: miracles" in process.stderr
