"""Learned alpha and eta beside those that corpora were drawn with.

    python priors.py
    python priors.py --seeds 0 1 2

Prints learned / true of alpha (smallest, mean and largest ratio of a topic) and of eta,
and the Bhattacharyya coefficient of the topics with the true ones (smallest and mean),
with learned and with true priors. 1 is a perfect match.
"""

import argparse
import os
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array

from sklearn_amortlda import AmortizedLDA

N_TOPICS, N_WORDS, N_DOCUMENTS, LENGTH = 10, 1000, 3000, 100
ALPHAS = {
    "0.05": np.full(N_TOPICS, 0.05),
    "0.2": np.full(N_TOPICS, 0.2),
    "1": np.full(N_TOPICS, 1.0),
    "0.02 to 0.6": np.geomspace(0.02, 0.6, N_TOPICS),
}
ETAS = 0.02, 0.1, 0.5


def draw(alpha, eta, seed):
    """Counts and topics of a corpus."""
    rng = np.random.default_rng(seed)
    beta = rng.dirichlet(np.full(N_WORDS, eta), N_TOPICS)
    p = rng.dirichlet(alpha, N_DOCUMENTS) @ beta
    counts = rng.multinomial(LENGTH, p / p.sum(axis=1, keepdims=True))
    return csr_array(counts, dtype=np.float32), beta


def matched(lda, beta):
    """The topic that matches each true one, and their Bhattacharyya coefficients."""
    coefficients = np.sqrt(beta) @ np.sqrt(lda.topic_word_).T
    true, found = linear_sum_assignment(-coefficients)
    return found, coefficients[true, found]


def measure(alpha, eta, seed):
    X, beta = draw(alpha, eta, seed)
    lda = AmortizedLDA(N_TOPICS, topic_word_prior="auto", random_state=seed).fit(X)
    order, similarity = matched(lda, beta)
    learned = lda.doc_topic_prior_[order]
    ratios = learned / alpha
    row = [ratios.min(), learned.mean() / alpha.mean(), ratios.max()]
    row += [lda.topic_word_prior_ / eta, similarity.min(), similarity.mean()]
    given = AmortizedLDA(
        N_TOPICS, doc_topic_prior=alpha, topic_word_prior=eta, random_state=seed
    ).fit(X)
    similarity = matched(given, beta)[1]
    return [*row, similarity.min(), similarity.mean()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    seeds = parser.parse_args().seeds
    warnings.simplefilter("ignore")
    print(
        "| alpha | eta | alpha: min | mean | max | eta | topics: min | mean |", end=""
    )
    print(" true priors: min | mean |")
    print("|---" * 10 + "|")
    for eta in ETAS:
        for name, alpha in ALPHAS.items():
            row = np.mean([measure(alpha, eta, seed) for seed in seeds], axis=0)
            cells = [f"{x:.2f}" for x in row[:4]] + [f"{x:.3f}" for x in row[4:]]
            print("|", " | ".join([name, f"{eta:g}", *cells]), "|", flush=True)


if __name__ == "__main__":
    main()
