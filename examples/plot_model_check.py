"""
==============================
Does the model fit the corpus
==============================

A fitted model can draw new documents. If they look like the real ones, the model is
adequate; where they differ, it is not.
"""

# %%
# Draw as many documents as there are, of the same lengths
# --------------------------------------------------------

import matplotlib.pyplot as plt
import numpy as np
import pictures
from corpora import load_docstrings, vectorizer

from sklearn_amortlda import AmortizedLDA

X = vectorizer().fit_transform(load_docstrings().data[::3])
lda = AmortizedLDA(30, random_state=0).fit(X)
lengths = np.asarray(X.sum(axis=1)).ravel().astype(int)
drawn, _ = lda.sample(X.shape[0], n_words=lengths, random_state=0)

# %%
# Distinct words of a document
# ----------------------------
# Real documents repeat their words more often than LDA expects. This is the burstiness
# of words, which the model does not have.

for counts, name in ((X, "real"), (drawn, "drawn from the model")):
    distinct = np.diff(counts.tocsr().indptr)
    plt.scatter(lengths, distinct, s=4, alpha=0.4, label=name)
plt.xscale("log")
plt.yscale("log")
plt.xlabel("words of the document")
plt.ylabel("distinct words")
plt.legend()
pictures.save("model_check")

# %%
# At the same length, real documents have fewer distinct words.
