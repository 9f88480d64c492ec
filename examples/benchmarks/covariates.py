"""Covariates: effects on planted topics, and held-out perplexity with real metadata.

    python covariates.py                            # planted effects
    python covariates.py FOLDER/20NG FOLDER/AGNews  # labels as metadata

Planted: rank correlation of the effects with the true ones, the share of true effects
in 90 % intervals, and the seconds of the fit and of the intervals. Real: the completion
perplexity of test documents without covariates, with covariates in fit and transform,
and in fit alone (unknown).
"""

import argparse
import os
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")

import corpus
import numpy as np
from priors import matched
from scipy.sparse import csr_array
from scipy.special import softmax
from scipy.stats import spearmanr
from sklearn.preprocessing import OneHotEncoder

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.inspection import covariate_effects
from sklearn_amortlda.metrics import document_completion_perplexity

N_WORDS, N_DOCUMENTS, LENGTH, ETA = 1000, 3000, 100, 0.05
# Topics, alpha at the mean of the covariates, and standard deviation of coefficients.
CASES = (
    (5, 0.15, 0.7),
    (10, 0.05, 0.7),
    (10, 0.15, 0.3),
    (10, 0.15, 0.7),
    (10, 0.5, 0.7),
)


def draw(n_topics, alpha, scale, seed):
    """A corpus, its covariates and topics, and the true effects."""
    rng = np.random.default_rng(seed)
    beta = rng.dirichlet(np.full(N_WORDS, ETA), n_topics)
    columns = [
        rng.standard_normal(N_DOCUMENTS),
        rng.random(N_DOCUMENTS) < 0.4,
        rng.normal(2000.0, 10.0, N_DOCUMENTS),
    ]
    covariates = np.column_stack(columns).astype(float)
    coefficients = rng.normal(0.0, scale, (n_topics, 3)) * [1.0, 1.0, 0.1]
    logs = np.log(alpha) + (covariates - covariates.mean(axis=0)) @ coefficients.T
    theta = np.array([rng.dirichlet(row) for row in np.exp(logs)])
    counts = rng.multinomial(LENGTH, theta @ beta)
    effects = true_effects(covariates, logs, coefficients)
    return csr_array(counts, dtype=np.float32), covariates, beta, effects


def true_effects(covariates, logs, coefficients):
    """Average marginal effects, by differences: of 1 for the binary covariate."""
    effects = np.empty_like(coefficients)
    for j, step in enumerate([1e-5, None, 1e-5]):
        values = covariates[:, j]
        low, high = (0 - values, 1 - values) if step is None else (0 * values, step)
        shares = [
            softmax(logs + np.outer(change * np.ones(len(logs)), coefficients[:, j]), 1)
            for change in (low, high)
        ]
        effects[:, j] = (shares[1] - shares[0]).mean(axis=0) / (step or 1.0)
    return effects


def planted(seeds):
    print("| topics | alpha | scale | rank correlation | coverage |", end="")
    print(" fit, s | intervals, s |")
    print("|---" * 7 + "|")
    everything = []
    for case in CASES:
        rows = []
        for seed in seeds:
            X, covariates, beta, true = draw(*case, seed)
            start = time.perf_counter()
            lda = AmortizedLDA(case[0], topic_word_prior="auto", random_state=seed)
            lda.fit(X, covariates=covariates)
            between = time.perf_counter()
            found = covariate_effects(lda, X, covariates, as_frame=False)
            end = time.perf_counter()
            order = matched(lda, beta)[0]
            effect, lower, upper = (
                found[name][order] for name in ("effect", "lower", "upper")
            )
            correlations = [spearmanr(*pair)[0] for pair in zip(effect.T, true.T)]
            covered = ((true >= lower) & (true <= upper)).mean()
            everything.append(covered)
            rows.append(
                [np.mean(correlations), covered, between - start, end - between]
            )
        correlation, covered, *seconds = np.mean(rows, axis=0)
        print(
            f"| {case[0]} | {case[1]:g} | {case[2]:g} | {correlation:.3f} | "
            f"{covered:.2f} | {seconds[0]:.1f} | {seconds[1]:.1f} |",
            flush=True,
        )
    print(f"\nMean coverage: {np.mean(everything):.3f}")


def real(folders, seeds):
    print("| corpus | without | with | unknown | fit, s: without | with |")
    print("|---" * 6 + "|")
    for folder in folders:
        data = corpus.load(folder)
        encoder = OneHotEncoder(sparse_output=False)
        known = encoder.fit_transform(data.train_labels[:, np.newaxis])
        new = encoder.transform(data.test_labels[:, np.newaxis])
        rows = []
        for seed in seeds:
            lda = AmortizedLDA(50, random_state=seed)
            start = time.perf_counter()
            lda.fit(data.train)
            row = [document_completion_perplexity(lda, data.test)]
            between = time.perf_counter()
            lda.fit(data.train, covariates=known)
            end = time.perf_counter()
            row.append(document_completion_perplexity(lda, data.test, covariates=new))
            row.append(document_completion_perplexity(lda, data.test))
            rows.append([*row, between - start, end - between])
        cells = np.mean(rows, axis=0)
        print(
            f"| {os.path.basename(folder)} |",
            " | ".join([f"{x:.0f}" for x in cells[:3]]),
            "|",
            " | ".join([f"{x:.1f}" for x in cells[3:]]),
            "|",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.folders:
        real(arguments.folders, arguments.seeds)
    else:
        planted(arguments.seeds)


if __name__ == "__main__":
    main()
