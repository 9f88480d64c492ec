"""Pyro's share of a training step: its ELBO against the same terms called directly.

    python pyro_share.py /path/to/20NG

Prints milliseconds a step, of the whole step, of Pyro's ELBO, and of the likelihood and
divergence inside it; what is left of the ELBO is Pyro's. One thread.
"""

import sys
import time
from contextlib import contextmanager
from pathlib import Path

import scipy.sparse as sp
import torch

from sklearn_amortlda import AmortizedLDA, _distributions
from sklearn_amortlda._bag_of_words import BagOfWords
from sklearn_amortlda._learner import Learner
from sklearn_amortlda._model import LDAProgram

seconds = {"step": 0.0, "elbo": 0.0, "terms": 0.0}


@contextmanager
def timed(owner, name, label):
    """Add the time spent in a function to `seconds`."""
    original = getattr(owner, name)

    def call(*args, **kwargs):
        begin = time.perf_counter()
        try:
            return original(*args, **kwargs)
        finally:
            seconds[label] += time.perf_counter() - begin

    setattr(owner, name, call)
    yield
    setattr(owner, name, original)


def measure(X, n_topics=50):
    """Milliseconds a step: the whole step, Pyro's ELBO, and the terms inside it."""
    AmortizedLDA(n_topics, max_iter=1, random_state=0).fit(X[:600])  # warm-up
    seconds.update(dict.fromkeys(seconds, 0.0))
    lda = AmortizedLDA(n_topics, max_iter=5, random_state=0)
    with (
        timed(Learner, "step", "step"),
        timed(LDAProgram, "loss", "elbo"),
        timed(BagOfWords, "log_prob", "terms"),
        timed(_distributions, "dirichlet_kl", "terms"),
    ):
        lda.fit(X)
    return [1e3 * s / lda.n_batch_iter_ for s in seconds.values()]


def main(folder):
    torch.set_num_threads(1)
    step, elbo, terms = measure(sp.load_npz(Path(folder) / "train_bow.npz"))
    print(f"step {step:.2f} ms, ELBO {elbo:.2f} ms, its terms {terms:.2f} ms")
    print(f"Pyro's share of a step: {(elbo - terms) / step:.1%}")


if __name__ == "__main__":
    main(sys.argv[1])
