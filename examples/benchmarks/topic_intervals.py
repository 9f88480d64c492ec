"""Coverage of the 90 % intervals of topics, and what uncertain topics add to theta.

    python topic_intervals.py
    python topic_intervals.py --topics 5 --seeds 0

Documents are drawn from the model, with a share of words that all topics have in
common. Alpha and eta are given. Prints the share of the true probabilities of words
that are in their intervals, the CPU seconds of the fit and of 'mcmc', the share of the
true proportions of new documents that are in intervals of 'mcmc' with known and with
drawn topics, and the ratio of their standard deviations.
"""

import argparse
import os
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from priors import matched
from scipy.sparse import csr_array
from worker import stopwatch

from sklearn_amortlda import AmortizedLDA

N_WORDS, N_DOCUMENTS, N_NEW, LENGTH, ALPHA, ETA = 1000, 2000, 500, 100, 0.1, 0.1


def draw(rng, beta, n_documents):
    theta = rng.dirichlet(np.full(len(beta), ALPHA), n_documents)
    p = theta @ beta
    counts = rng.multinomial(LENGTH, p / p.sum(axis=1, keepdims=True))
    return theta, csr_array(counts, dtype=np.float32)


def coverage(posterior, true, order, axis):
    """Share of the true values in their intervals, for matched topics."""
    lower, upper = (np.take(ends, order, axis) for ends in posterior.interval(0.9))
    return np.mean((lower <= true) & (true <= upper))


def measure(n_topics, common, seed):
    rng = np.random.default_rng(seed)
    beta = rng.dirichlet(np.full(N_WORDS, ETA), n_topics)
    beta = (1 - common) * beta + common * rng.dirichlet(np.full(N_WORDS, ETA))
    _, X = draw(rng, beta, N_DOCUMENTS)
    theta, new = draw(rng, beta, N_NEW)
    lda = AmortizedLDA(
        n_topics, doc_topic_prior=ALPHA, topic_word_prior=ETA, random_state=seed
    )
    with stopwatch() as fit:
        lda.fit(X)
    options = {"method": "mcmc", "random_state": 0}
    # The first call loads the compiled functions.
    lda.topic_word_posterior(X[:10], **options, n_samples=4)
    with stopwatch() as chain:
        topics = lda.topic_word_posterior(X, **options)
    order = matched(lda, beta)[0]
    known = lda.doc_topic_posterior(new, **options)
    drawn = lda.doc_topic_posterior(new, **options, topics=topics)
    return [
        coverage(lda.topic_word_posterior(), beta, order, 0),
        coverage(topics, beta, order, 0),
        fit["cpu"],
        chain["cpu"],
        coverage(known, theta, order, 1),
        coverage(drawn, theta, order, 1),
        drawn.std.mean() / known.std.mean(),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--topics", type=int, nargs="+", default=[5, 20])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| K | common words | beta: variational | mcmc | fit, s | mcmc, s |", end="")
    print(" theta: known topics | drawn topics | ratio of widths |")
    print("|---" * 9 + "|")
    for n_topics in options.topics:
        for common in (0.0, 0.3, 0.6):
            rows = [measure(n_topics, common, seed) for seed in options.seeds]
            row = np.mean(rows, axis=0)
            cells = [f"{x:.3f}" for x in row[:2]] + [f"{x:.1f}" for x in row[2:4]]
            cells += [f"{x:.3f}" for x in row[4:6]] + [f"{row[6]:.2f}"]
            print("|", " | ".join([f"{n_topics}", f"{common:.0%}", *cells]), "|")


if __name__ == "__main__":
    main()
