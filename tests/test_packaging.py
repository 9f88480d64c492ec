"""The source distribution, and the versions that the workflows test."""

import re
import shutil
import subprocess
import sys
import tarfile

import pytest
from repository import ROOT, needs_repository

pytestmark = needs_repository
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


def test_oldest_versions_are_the_declared_bounds():
    project = (ROOT / "pyproject.toml").read_text()
    (dependencies,) = re.findall(r"^dependencies = \[(.*?)\]", project, re.M | re.S)
    of_dependency = re.compile(r'"([\w-]+)>=([\d.]+)"')
    bounds = dict(of_dependency.findall(dependencies))
    (extra,) = re.findall(r"^test = \[(.*?)\]", project, re.M | re.S)
    of_tests = dict(of_dependency.findall(extra))
    # Their latest releases need later versions of the dependencies.
    bounds |= {name: of_tests[name] for name in ("pandas", "polars", "skops")}
    oldest = (ROOT / ".github" / "oldest.txt").read_text()
    pinned = dict(re.findall(r"^([\w-]+)==([\d.]+)$", oldest, re.M))
    assert pinned.keys() == bounds.keys()
    for name, bound in bounds.items():
        assert f"{pinned[name]}.".startswith(f"{bound}."), name


def test_workflows_run_the_declared_versions_of_python():
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text()
    project = (ROOT / "pyproject.toml").read_text()
    (lowest,) = re.findall(r'requires-python = ">=([\d.]+)"', project)
    assert f'python: ["{lowest}", ' in workflow
