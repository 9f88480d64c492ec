"""The examples run, and their results are in the expected range."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest
from repository import ROOT, needs_repository

pytestmark = [pytest.mark.slow, needs_repository]

EXAMPLES = ROOT / "examples"


def run(script, *arguments, cwd=None):
    result = subprocess.run(
        [sys.executable, EXAMPLES / script, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "Agg"},
        timeout=1200,
        cwd=cwd,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_quickstart_classifies_and_finds_related_documents(tmp_path):
    output = run("quickstart.py", cwd=tmp_path)
    accuracies = [float(share) for share in re.findall(r"(\d+\.\d)%\n", output)]
    topics, with_labels, theirs, _, words = accuracies
    assert theirs < topics < with_labels < words
    nearest = output.split("Documents for the query")[1].splitlines()[1:6]
    assert sum("linalg" in line for line in nearest) >= 3
    assert (tmp_path / "pictures" / "quickstart.png").stat().st_size > 10_000


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="needs the plot extra")
def test_calibration_finds_intervals_slightly_too_narrow():
    fitted = run("plot_calibration.py").splitlines()[1]
    coverage = [float(share) for share in re.findall(r"(\d+\.\d)%", fitted)]
    assert coverage == sorted(coverage)
    assert 65 < coverage[2] < 90


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="needs the plot extra")
def test_displays_are_drawn():
    run("plot_displays.py")
