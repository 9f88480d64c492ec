"""Pyro's share of the CPU time of a training step.

    python pyro_share.py /path/to/20NG

A step of training runs Pyro's `TraceMeanField_ELBO.differentiable_loss`. Pyro's time is
the time of this call minus the time of the functions in it that a training loop without
Pyro would also call: encoder, topics, statistics, likelihood and divergence. The rest
consists of handlers, plates, expanded distributions and the densities of theta and
beta, which Pyro computes although the divergence is analytic.

Prints CPU milliseconds per step on one thread.
"""

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import scipy.sparse as sp
import torch
from pyro.infer import TraceMeanField_ELBO

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.encoder.encoder import Encoder
from sklearn_amortlda.model import distributions
from sklearn_amortlda.model.lda import LDA
from sklearn_amortlda.model.likelihood import BagOfWords
from sklearn_amortlda.model.objectives import Completion
from sklearn_amortlda.model.topics import Topics
from sklearn_amortlda.training.svi import SVI

# The functions that a training loop without Pyro would also call.
OWN = [
    (Topics, "gather"),
    (Encoder, "forward"),
    (Completion, "gamma"),
    (Completion, "posterior"),
    (Completion, "prior"),
    (LDA, "_infer"),
    (BagOfWords, "log_prob"),
    (distributions, "dirichlet_kl"),
    (distributions, "log_normalizer"),
]


class Stopwatch:
    """CPU seconds of functions, by label."""

    def __init__(self):
        self.seconds, self._running = {}, set()

    def timed(self, function, label, within=None):
        """The function, with its CPU time added to ``seconds[label]``.

        Calls inside another call of the label are not added again. With `within`, calls
        outside of the calls of that label are not added.
        """
        self.seconds.setdefault(label, 0.0)

        def call(*args, **kwargs):
            inside = within is None or within in self._running
            if not inside or label in self._running:
                return function(*args, **kwargs)
            self._running.add(label)
            begin = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds[label] += time.thread_time() - begin
                self._running.discard(label)

        return call


def measure(X, n_topics=50):
    """CPU milliseconds per step: 'step_ms', 'elbo_ms', 'own_ms', 'pyro_ms'; 'share'."""
    # A small fit first, because the first fit imports modules.
    AmortizedLDA(n_topics, max_iter=1, random_state=0).fit(X[:600])
    lda, watch = AmortizedLDA(n_topics, max_iter=5, random_state=0), Stopwatch()
    with ExitStack() as stack:
        for owner, name, label, within in [
            (SVI, "step", "step_ms", None),
            (TraceMeanField_ELBO, "differentiable_loss", "elbo_ms", None),
            *((owner, name, "own_ms", "elbo_ms") for owner, name in OWN),
        ]:
            function = watch.timed(getattr(owner, name), label, within)
            if owner is Completion:
                function = staticmethod(function)
            stack.enter_context(patch.object(owner, name, function))
        lda.fit(X)
    record = {name: 1e3 * s / lda.n_batch_iter_ for name, s in watch.seconds.items()}
    record["pyro_ms"] = record["elbo_ms"] - record["own_ms"]
    record["share"] = record["pyro_ms"] / record["step_ms"]
    return record


def main(folder):
    torch.set_num_threads(1)
    record = measure(sp.load_npz(Path(folder) / "train_bow.npz"))
    print(f"training step                   {record['step_ms']:6.2f} ms")
    print(f"  Pyro's differentiable_loss    {record['elbo_ms']:6.2f} ms")
    print(f"    functions of this package   {record['own_ms']:6.2f} ms")
    print(f"    Pyro                        {record['pyro_ms']:6.2f} ms")
    print(f"Pyro's share of a step          {record['share']:6.1%}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
