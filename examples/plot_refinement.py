"""
====================
What refinement buys
====================

The encoder infers the topics of a document in one pass. ``refine`` steps of the
classical E-step bring the result closer to the optimum, and take time.
"""

# %%
# Prediction and time
# -------------------
# One half of each test document is predicted from the theta of the other half.

import time

import matplotlib.pyplot as plt
import pictures
from corpora import load_docstrings, vectorizer
from sklearn.model_selection import train_test_split

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_perplexity

X = vectorizer().fit_transform(load_docstrings().data[::2])
train, test = train_test_split(X, random_state=0)
lda = AmortizedLDA(30, random_state=0).fit(train)

lda.transform(test)  # The first call takes longer.
steps, perplexities, seconds = [0, 1, 2, 3, 5, 10, 30], [], []
for n_steps in steps:
    lda.set_params(refine=n_steps)
    perplexities.append(document_completion_perplexity(lda, test))
    begin = time.perf_counter()
    lda.transform(test)
    seconds.append(time.perf_counter() - begin)

# %%
# Perplexity against time
# -----------------------

plt.plot([1e6 * s / test.shape[0] for s in seconds], perplexities, "o-")
for n_steps, x, y in zip(steps, seconds, perplexities):
    plt.annotate(f" {n_steps}", (1e6 * x / test.shape[0], y))
plt.xlabel("microseconds per document")
plt.ylabel("perplexity of held-out words")
pictures.save("refinement")

# %%
# The numbers are values of ``refine``. A few steps are worth their time; the optimum of
# the bound does not predict better than three.
