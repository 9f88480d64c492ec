"""
===============
Learned priors
===============

alpha says how many topics a document has, and eta how many words a topic has. This
example learns both from a corpus for which they are known.
"""

# %%
# A corpus with an unequal alpha
# ------------------------------

import matplotlib.pyplot as plt
import numpy as np
import pictures
from scipy.optimize import linear_sum_assignment

from sklearn_amortlda import AmortizedLDA

alpha, eta = np.array([0.05, 0.1, 0.2, 0.4, 0.8, 1.2]), 0.05
rng = np.random.default_rng(0)
topics = rng.dirichlet(np.full(500, eta), len(alpha))
X = rng.multinomial(80, rng.dirichlet(alpha, 3000) @ topics)

# %%
# Two ways to learn
# -----------------
# With ``topic_word_prior='auto'`` both priors are learned by Monte Carlo EM. By default
# eta is given, and alpha follows the batches.

for name, prior in [("default", 0.03), ("topic_word_prior='auto'", "auto")]:
    lda = AmortizedLDA(len(alpha), topic_word_prior=prior, random_state=0).fit(X)
    overlap = np.sqrt(topics) @ np.sqrt(lda.topic_word_).T
    order = linear_sum_assignment(-overlap)[1]
    plt.plot(alpha, lda.doc_topic_prior_[order], "o-", label=name)
    print(f"{name}: eta = {lda.topic_word_prior_:.3f}")
plt.plot(alpha, alpha, "k:", label="true")
plt.xlabel("true alpha")
plt.ylabel("learned alpha")
plt.legend()
pictures.save("learned_priors")

# %%
# The priors of 'auto' are those of the corpus.
