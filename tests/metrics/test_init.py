"""Import of the metrics."""

import subprocess
import sys


def test_import_loads_neither_torch_nor_pyro():
    code = (
        "import sys, sklearn_amortlda.metrics; "
        "assert not {'torch', 'pyro'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
