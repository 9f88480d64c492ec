"""Make the golden files of the present format: `python tests/golden/make.py`.

To be run once for each new `sklearn_amortlda._persistence.FORMAT`, and the files
committed: later versions must read them. They are small, and hold the documents and the
answers to them beside the model.
"""

import pickle
from pathlib import Path

import numpy as np
import skops.io

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda._persistence import FORMAT

FOLDER = Path(__file__).parent


def main():
    rng = np.random.default_rng(0)
    X = rng.poisson(rng.gamma(0.3, 3.0, (40, 12))).astype(np.float32)
    lda = AmortizedLDA(
        3, max_iter=3, hidden_layer_sizes=(6, 5), random_state=0, device="cpu"
    ).fit(X)
    # By the name that NumPy 1 has too; of protocol 2, whose names carry no lengths.
    content = pickle.dumps(lda, protocol=2).replace(b"numpy._core", b"numpy.core")
    (FOLDER / f"format{FORMAT}.pickle").write_bytes(content)
    skops.io.dump(lda, FOLDER / f"format{FORMAT}.skops")
    np.savez(FOLDER / f"format{FORMAT}.npz", X=X, theta=lda.transform(X))


if __name__ == "__main__":
    main()
