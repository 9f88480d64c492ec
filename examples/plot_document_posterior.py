"""
========================================
How certain the topics of a document are
========================================

``transform`` returns the mean of a posterior. This example draws its intervals: the
variational ones, which are instant and too narrow where topics share words, and those
of Markov chain Monte Carlo, which contain the true value as often as they say.
"""

# %%
# Documents whose true proportions are known
# ------------------------------------------
# The topics share many words: half of each is common to all.

import matplotlib.pyplot as plt
import numpy as np
import pictures

from sklearn_amortlda import AmortizedLDA

rng = np.random.default_rng(0)
own, common = rng.dirichlet(np.full(300, 0.1), 5), rng.dirichlet(np.full(300, 0.3))
topics = 0.5 * own + 0.5 * common
theta = rng.dirichlet(np.full(5, 0.3), 2000)
X = rng.multinomial(60, theta @ topics)
lda = AmortizedLDA(5, topic_word_prior="auto", random_state=0).fit(X)

# The order of the fitted topics is arbitrary.
overlap = np.sqrt(topics) @ np.sqrt(lda.topic_word_).T
order = overlap.argmax(axis=1)

# %%
# Coverage
# --------

posteriors = {
    "variational": lda.doc_topic_posterior(X[:300]),
    "mcmc": lda.doc_topic_posterior(X[:300], method="mcmc", random_state=0),
}
for name, posterior in posteriors.items():
    low, high = (bound[:, order] for bound in posterior.interval(0.9))
    covered = np.mean((low <= theta[:300]) & (theta[:300] <= high))
    print(f"90 % intervals of {name} contain {covered:.0%} of the true proportions")

# %%
# One document
# ------------

for shift, (name, posterior) in zip((-0.15, 0.15), posteriors.items()):
    low, high = (bound[0, order] for bound in posterior.interval(0.9))
    plt.vlines(np.arange(5) + shift, low, high, f"C{int(shift > 0)}", lw=4, label=name)
plt.plot(np.arange(5), theta[0], "kx", label="true")
plt.xlabel("topic")
plt.ylabel("proportion, 90 % interval")
plt.legend()
pictures.save("document_posterior")

# %%
# The intervals of 'mcmc' are wider, because words that topics share say little.
