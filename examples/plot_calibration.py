"""
=====================================
Calibration of the topics' posteriors
=====================================

The posterior of a document's topics is a Dirichlet, so it comes with credible
intervals. How often do they hold the truth? Documents are drawn from the model itself,
topics and proportions known, and each true proportion is located in its marginal
posterior, a beta distribution. Under the exact posterior its quantile there is uniform,
and a 90 % interval holds 90 % of the truths (simulation-based calibration, Talts et al.
2018, https://arxiv.org/abs/1804.06788).

A mean-field posterior takes the topics of a document's words for independent of its
proportions, so it is too narrow where topics share words: true proportions fall into
its tails too often.
"""

# %%
# Documents of known topics
# -------------------------
# Five topics that share a good part of their words, 100 words a document.

import copy

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import beta, binom

from sklearn_amortlda import AmortizedLDA

N_TOPICS, N_WORDS, LENGTH, ALPHA = 5, 300, 100, 0.3
LEVELS = np.array([0.5, 0.8, 0.9, 0.95])

rng = np.random.default_rng(0)
topics = rng.dirichlet(np.full(N_WORDS, 0.1), N_TOPICS)


def draw(n_documents):
    """Proportions of topics and word counts of new documents."""
    theta = rng.dirichlet(np.full(N_TOPICS, ALPHA), n_documents)
    words = theta @ topics
    return theta, rng.multinomial(LENGTH, words / words.sum(axis=1, keepdims=True))


_, X_train = draw(4000)
theta, X = draw(1000)

# %%
# A fitted model, and the same with the true topics
# -------------------------------------------------
# The second one shows what is left when the topics are right: the error of the
# posterior's form alone.

fitted = AmortizedLDA(N_TOPICS, doc_topic_prior=ALPHA, random_state=0).fit(X_train)


def align(lda):
    """Truth's topic of each topic of the model."""
    model_topics = np.sqrt(lda.topic_word_) @ np.sqrt(topics).T
    return linear_sum_assignment(-model_topics)[1]


truth_of = align(fitted)
true = copy.deepcopy(fitted)
true.topic_word_ = topics[truth_of]
true.components_ = 1e6 * true.topic_word_
converged = copy.deepcopy(true).set_params(refine=100)


def quantiles(lda):
    """Of each true proportion in its marginal posterior, in [0, 1]."""
    gamma = lda.doc_topic_posterior(X).concentration
    rest = gamma.sum(axis=1, keepdims=True) - gamma
    return beta.cdf(theta[:, truth_of], gamma, rest).ravel()


def coverage(quantile, levels):
    """Share of the truths in the central interval of each level."""
    return np.array([np.mean(np.abs(quantile - 0.5) <= x / 2) for x in levels])


results = {
    "fitted topics": quantiles(fitted),
    "true topics": quantiles(true),
    "true topics, refine=100": quantiles(converged),
}

print(f"{'nominal coverage':24}", *(f"{level:7.0%}" for level in LEVELS))
for name, quantile in results.items():
    print(f"{name:24}", *(f"{x:7.1%}" for x in coverage(quantile, LEVELS)))

# %%
# Ranks and coverage
# ------------------
# Bars above the grey band at both ends are truths in the tails: intervals that are too
# narrow. The band is where 99 % of the bars of an exact posterior would be.

N_BINS = 20
figure, axes = plt.subplots(
    1, len(results) + 1, figsize=(14, 3.6), layout="constrained"
)
low, high = binom.interval(0.99, theta.size, 1 / N_BINS)
tallest = 0
for axis, (name, quantile), color in zip(axes, results.items(), ("C0", "C1", "C2")):
    bars, _, _ = axis.hist(quantile, np.linspace(0, 1, N_BINS + 1), color=color)
    tallest = max(tallest, bars.max())
    axis.axhspan(low, high, color="0.5", alpha=0.5, lw=0)
    axis.set(title=name, xlabel="quantile of the truth", xlim=(0, 1))
for axis in axes[:-1]:
    axis.set_ylim(0, 1.05 * tallest)
axes[0].set_ylabel("proportions")

grid = np.linspace(0, 1, 101)
axes[-1].plot(grid, grid, color="0.5", ls="--", label="exact")
for (name, quantile), width in zip(results.items(), (5, 2.5, 1)):  # none hides another
    axes[-1].plot(grid, coverage(quantile, grid), label=name, lw=width)
axes[-1].set(title="coverage", xlabel="nominal", ylabel="actual", xlim=(0, 1))
axes[-1].set_ylim(0, 1)
axes[-1].legend(fontsize="small")
plt.show()
