"""The source distribution has every file of the repository that its tests need."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILD = "from setuptools.build_meta import build_sdist; print(build_sdist('dist'))"


def tracked_files():
    """The names of the files that git tracks."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    run = [git, "-C", str(ROOT), "ls-files"]
    names = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    return [name for name in names.splitlines() if (ROOT / name).is_file()]


@pytest.mark.slow
def test_source_distribution_is_complete(tmp_path):
    pytest.importorskip("setuptools")
    names = tracked_files()
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "dist").mkdir()
    subprocess.run([sys.executable, "-c", BUILD], cwd=tmp_path, check=True)
    (archive,) = (tmp_path / "dist").iterdir()
    with tarfile.open(archive) as files:
        packed = {name.split("/", 1)[-1] for name in files.getnames()}
    assert {name for name in names if not name.startswith(".")} <= packed
