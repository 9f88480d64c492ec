"""The examples run, and their results are in the expected range."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(script, *arguments):
    result = subprocess.run(
        [sys.executable, EXAMPLES / script, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "Agg"},
        timeout=1200,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_quickstart_classifies_and_finds_related_documents():
    output = run("quickstart.py")
    topics, counts, majority = re.findall(r"(\d+\.\d)%\n", output)[-3:]
    assert float(topics) > 4 * float(majority)
    assert float(counts) > float(majority)
    nearest = output.split("Nearest documents")[1].splitlines()[1:6]
    assert sum("linalg" in line for line in nearest) >= 3


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="needs the plot extra")
def test_calibration_finds_intervals_slightly_too_narrow():
    fitted = run("plot_calibration.py").splitlines()[1]
    coverage = [float(share) for share in re.findall(r"(\d+\.\d)%", fitted)]
    assert coverage == sorted(coverage)
    assert 65 < coverage[2] < 90


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="needs the plot extra")
def test_displays_are_drawn():
    run("plot_displays.py")
