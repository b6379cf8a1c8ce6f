import os
import subprocess
import sys

import pytest

from config import metrics_directory


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("BUTLER_HOME", str(tmp_path))
    # Set and delete it here, so that monkeypatch also removes the later value after the test.
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")


def test_workers_of_one_parent_share_a_directory(tmp_path):
    metrics_directory.use_shared_directory()

    assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(tmp_path / "metrics" / str(os.getppid()))
    assert (tmp_path / "metrics" / str(os.getppid())).is_dir()


def test_configured_directory_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "/elsewhere")

    metrics_directory.use_shared_directory()

    assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == "/elsewhere"
    assert not (tmp_path / "metrics").exists()


def test_directories_of_ended_processes_are_removed(tmp_path):
    ended_process = subprocess.Popen([sys.executable, "-c", ""])
    ended_process.wait()
    for name in (str(ended_process.pid), str(os.getpid()), "notes"):
        (tmp_path / "metrics" / name).mkdir(parents=True)

    metrics_directory.use_shared_directory()

    remaining_folders = {folder.name for folder in (tmp_path / "metrics").iterdir()}
    assert remaining_folders == {str(os.getpid()), "notes", str(os.getppid())}
