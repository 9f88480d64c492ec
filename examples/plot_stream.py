"""
===================
A stream of chunks
===================

``partial_fit`` learns from one chunk of documents at a time, so the corpus need not fit
into memory.
"""

# %%
# Held-out perplexity after each chunk
# ------------------------------------
# ``total_samples`` is the number of documents in the stream. With the cosine schedule
# the step sizes fall to zero at its end; ``max_iter=1`` means one pass.

import matplotlib.pyplot as plt
import numpy as np
import pictures
from corpora import load_docstrings, vectorizer
from sklearn.model_selection import train_test_split

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_perplexity

X = vectorizer().fit_transform(load_docstrings().data)
train, test = train_test_split(X, test_size=1000, random_state=0)
chunks = np.array_split(np.arange(train.shape[0]), 12)
perplexities = {}
for schedule in ("power", "cosine"):
    lda = AmortizedLDA(
        20,
        learning_schedule=schedule,
        total_samples=train.shape[0],
        batch_size=64,
        max_iter=1,
        random_state=0,
    )
    perplexities[schedule] = [
        document_completion_perplexity(lda.partial_fit(train[chunk]), test)
        for chunk in chunks
    ]

# %%
# The two schedules
# -----------------

for schedule, values in perplexities.items():
    plt.plot(np.arange(1, 13), values, "o-", label=schedule)
plt.xlabel("chunks")
plt.ylabel("held-out perplexity")
plt.legend(title="learning_schedule")
pictures.save("stream")

# %%
# Both end at about the same perplexity. Under 'power' the model is good at any time,
# and the stream needs no end. Under 'cosine' the model is good at the end only.
