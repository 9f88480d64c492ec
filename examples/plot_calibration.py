"""
=====================================
Calibration of the topics' posteriors
=====================================

The posterior of a document's topic proportions is a Dirichlet, which has credible
intervals. How often do the intervals contain the true proportions? This example draws
documents from the model with known topics and known proportions. It then computes the
quantile of each true proportion in its marginal posterior, a beta distribution. Under
the exact posterior the quantiles are uniform, and 90 % of the true proportions are in
the 90 % interval (simulation-based calibration, Talts et al. 2018,
https://arxiv.org/abs/1804.06788).

The mean-field posterior assumes that the topic assignments of a document's words are
independent of its topic proportions. The posterior is therefore too narrow where topics
share words: too many true proportions are in its tails. The draws of ``method='mcmc'``
do not have this error.
"""

# %%
# Documents with known topics
# ---------------------------
# There are five topics, which share many words, and 100 words in each document.

import copy

import matplotlib.pyplot as plt
import numpy as np
import pictures
from scipy.optimize import linear_sum_assignment
from scipy.stats import beta, binom

from sklearn_amortlda import AmortizedLDA

N_TOPICS, N_WORDS, LENGTH, ALPHA = 5, 300, 100, 0.3
LEVELS = np.array([0.5, 0.8, 0.9, 0.95])

rng = np.random.default_rng(0)
topics = rng.dirichlet(np.full(N_WORDS, 0.1), N_TOPICS)


def draw(n_documents):
    """Topic proportions and word counts of new documents."""
    theta = rng.dirichlet(np.full(N_TOPICS, ALPHA), n_documents)
    words = theta @ topics
    return theta, rng.multinomial(LENGTH, words / words.sum(axis=1, keepdims=True))


_, X_train = draw(4000)
theta, X = draw(1000)

# %%
# A fitted model, and the model with the true topics
# --------------------------------------------------
# With the true topics, the only remaining error is that of the posterior of the
# proportions. 100 steps of the E-step remove the error of the encoder, too.

fitted = AmortizedLDA(N_TOPICS, doc_topic_prior=ALPHA, random_state=0).fit(X_train)


def align(lda):
    """The true topic that is most similar to each topic of the model."""
    model_topics = np.sqrt(lda.topic_word_) @ np.sqrt(topics).T
    return linear_sum_assignment(-model_topics)[1]


truth_of = align(fitted)
true = copy.deepcopy(fitted)
true.topic_word_ = topics[truth_of]
true.components_ = 1e6 * true.topic_word_
converged = copy.deepcopy(true).set_params(refine=100)


def quantiles(lda):
    """Quantile of each true proportion in its marginal posterior."""
    gamma = lda.doc_topic_posterior(X).concentration
    rest = gamma.sum(axis=1, keepdims=True) - gamma
    return beta.cdf(theta[:, truth_of], gamma, rest).ravel()


def coverage(quantile, levels):
    """Share of the true proportions in the central interval of each level."""
    return np.array([np.mean(np.abs(quantile - 0.5) <= x / 2) for x in levels])


def ranks(lda):
    """Share of the draws that are below each true proportion of 300 documents."""
    posterior = lda.doc_topic_posterior(X[:300], method="mcmc", random_state=0)
    return np.mean(posterior.samples < theta[:300, truth_of], axis=0).ravel()


results = {
    "fitted topics": quantiles(fitted),
    "true topics": quantiles(true),
    "true topics, refine=100": quantiles(converged),
    "fitted topics, mcmc": ranks(fitted),
}

print(f"{'nominal coverage':24}", *(f"{level:7.0%}" for level in LEVELS))
for name, quantile in results.items():
    print(f"{name:24}", *(f"{x:7.1%}" for x in coverage(quantile, LEVELS)))

# %%
# Ranks and coverage
# ------------------
# The grey band contains 99 % of the bars of an exact posterior. Bars above the band at
# both ends show that too many true proportions are in the tails, so the intervals are
# too narrow.

N_BINS = 20
figure, axes = plt.subplots(2, 3, figsize=(9, 5.5), layout="constrained")
*axes, legend = axes.flat
tallest = 0
for axis, (name, quantile), color in zip(
    axes, results.items(), ("C0", "C1", "C2", "C3")
):
    edges = np.linspace(0, 1, N_BINS + 1)
    bars, _, _ = axis.hist(quantile, edges, color=color, density=True)
    tallest = max(tallest, bars.max())
    counts = np.array(binom.interval(0.99, quantile.size, 1 / N_BINS))
    low, high = counts * N_BINS / quantile.size
    axis.axhspan(low, high, color="0.5", alpha=0.5, lw=0)
    axis.set(title=name, xlabel="quantile of true proportion", xlim=(0, 1))
    axis.set_ylabel("density")
for axis in axes[:-1]:
    axis.set_ylim(0, 1.05 * tallest)

grid = np.linspace(0, 1, 101)
axes[-1].plot(grid, grid, color="0.5", ls="--", label="exact")
# Different widths, so that lines on top of each other are all visible.
for (name, quantile), width in zip(results.items(), (5, 2.5, 1, 2)):
    axes[-1].plot(grid, coverage(quantile, grid), label=name, lw=width)
axes[-1].set(title="coverage", xlabel="nominal", ylabel="measured", xlim=(0, 1))
axes[-1].set_ylim(0, 1)
legend.legend(*axes[-1].get_legend_handles_labels(), loc="center")
legend.axis("off")
pictures.save("calibration")
