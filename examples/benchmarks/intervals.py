"""Coverage of the 90 % intervals of topic proportions, on documents of known topics.

    python intervals.py
    python intervals.py --topics 5 --lengths 100 --documents 1000

Documents are drawn from the model with topics ~ Dirichlet(eta). A small eta makes
distinct topics, and a large eta topics that are nearly alike (the mean cosine of two
topics is printed). The model has the true topics, so the posterior of the proportions
is the only source of error. Prints the share of the true proportions that are in their
intervals, the median effective sample size of 'mcmc', and CPU milliseconds for a
document.
"""

import argparse
import os
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics.pairwise import cosine_similarity
from worker import stopwatch

from sklearn_amortlda import AmortizedLDA

N_WORDS, ALPHA = 300, 0.3


def draw(rng, topic_word, length, n_documents):
    theta = rng.dirichlet(np.full(len(topic_word), ALPHA), n_documents)
    words = theta @ topic_word
    X = rng.multinomial(length, words / words.sum(axis=1, keepdims=True))
    return theta, csr_array(X.astype(np.float32))


def with_true_topics(rng, topic_word, length):
    """A fitted model, with its topics replaced by the true ones."""
    _, X = draw(rng, topic_word, length, 2000)
    lda = AmortizedLDA(len(topic_word), doc_topic_prior=ALPHA, random_state=0)
    with warnings.catch_warnings():
        # A model of nearly equal topics is no better than one without topics.
        warnings.simplefilter("ignore", ConvergenceWarning)
        lda.set_params(max_iter=5).fit(X)
    lda.topic_word_, lda.components_ = topic_word, 1e6 * topic_word
    return lda


def coverage(posterior, theta):
    lower, upper = posterior.interval(0.9)
    return np.mean((lower <= theta) & (theta <= upper))


def measure(n_topics, length, eta, options):
    rng = np.random.default_rng(options.seed)
    topic_word = rng.dirichlet(np.full(N_WORDS, eta), n_topics) + 1e-9
    topic_word /= topic_word.sum(axis=1, keepdims=True)
    lda = with_true_topics(rng, topic_word, length)
    theta, X = draw(rng, topic_word, length, options.documents)
    # The first calls load the encoder and the compiled functions.
    for method in ("variational", "mcmc"):
        lda.doc_topic_posterior(X[:10], method=method, n_samples=4)
    with stopwatch() as fast_s:
        fast = lda.doc_topic_posterior(X)
    with stopwatch() as exact_s:
        exact = lda.doc_topic_posterior(
            X, method="mcmc", n_samples=options.samples, random_state=0
        )
    cosines = cosine_similarity(topic_word)[np.triu_indices(n_topics, k=1)]
    print(
        f"{n_topics:6d}  {length:5d}  {cosines.mean():6.2f}  "
        f"{coverage(fast, theta):11.3f}  {coverage(exact, theta):5.3f}  "
        f"{np.median(exact.effective_sample_size):4.0f}  "
        f"{1e3 * fast_s['cpu'] / options.documents:9.3f}  "
        f"{1e3 * exact_s['cpu'] / options.documents:8.1f}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--topics", type=int, nargs="+", default=[5, 20])
    parser.add_argument("--lengths", type=int, nargs="+", default=[10, 100, 300])
    parser.add_argument("--etas", type=float, nargs="+", default=[0.02, 0.1, 1, 10])
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print("topics  words  cosine  variational   mcmc  size  ms (var.)  ms (mcmc)")
    for n_topics in options.topics:
        for length in options.lengths:
            for eta in options.etas:
                measure(n_topics, length, eta, options)


if __name__ == "__main__":
    main()
