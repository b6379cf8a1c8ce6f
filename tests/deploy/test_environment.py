"""An environment that is updated in place holds what the new lock names, and works."""

import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from deploy.local import environment

pytestmark = pytest.mark.slow


def wheel(folder: Path, name: str, module: str) -> Path:
    """Make a wheel of this name that installs one module."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    metadata = f"{name}-1.0.dist-info"
    files = {
        f"{module}.py": f"NAME = {name!r}\n",
        f"{metadata}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{metadata}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in (*files, f"{metadata}/RECORD"))
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, f"{metadata}/RECORD": record}.items():
            archive.writestr(file, text)
    return path


def lock(path: Path, built: Path) -> None:
    """Write a lock that names this wheel alone."""
    digest = hashlib.sha256(built.read_bytes()).hexdigest()
    name = built.name.partition("-")[0]
    path.write_text(f"{name}==1.0 \\\n    --hash=sha256:{digest}\n")


def test_package_that_replaces_another_one_keeps_the_files_of_the_same_names(tmp_path, monkeypatch):
    old, new = wheel(tmp_path, "numbers_full", "shared"), wheel(tmp_path, "numbers_lite", "shared")
    locks = {level: tmp_path / f"{level}.txt" for level in environment.LOCK_FILES}
    monkeypatch.setattr(environment, "LOCK_FILES", locks)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    target = tmp_path / "venv"
    for built in (old, new):
        for path in locks.values():
            lock(path, built)
        assert environment.main(target, "run") == 0

    command = [target / "bin" / "python", "-c", "import shared; print(shared.NAME)"]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "numbers_lite\n"
    assert environment.is_built(target, "run")
