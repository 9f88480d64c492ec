"""Make the golden files of the present format: `python tests/golden/make.py`.

Run once for each new `sklearn_amortlda.runtime.serialization.FORMAT`, and commit the
files. Each pair holds a small model, its documents and their posteriors.
"""

import pickle
from pathlib import Path
from zipfile import ZIP_DEFLATED

import numpy as np
import skops.io

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.runtime.serialization import FORMAT

FOLDER = Path(__file__).parent


def main():
    rng = np.random.default_rng(0)
    X = rng.poisson(rng.gamma(0.3, 3.0, (40, 12))).astype(np.float32)
    lda = AmortizedLDA(
        3, max_iter=3, hidden_layer_sizes=(6, 5), random_state=0, device="cpu"
    ).fit(X)
    # NumPy 1 has the module name numpy.core only. Names of protocol 2 have no length
    # prefix, so that they can be replaced.
    content = pickle.dumps(lda, protocol=2).replace(b"numpy._core", b"numpy.core")
    (FOLDER / f"format{FORMAT}.pickle").write_bytes(content)
    skops.io.dump(lda, FOLDER / f"format{FORMAT}.skops", compression=ZIP_DEFLATED)
    np.savez(FOLDER / f"format{FORMAT}.npz", X=X, theta=lda.transform(X))


if __name__ == "__main__":
    main()
