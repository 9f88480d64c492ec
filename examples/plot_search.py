"""
=========================
Search by topics
=========================

Documents about one subject have similar topic proportions, also if they share few
words. The corpus is the docstrings of the installed scientific libraries.
"""

# %%
# Nearest documents of a query
# ----------------------------
# The Hellinger distance compares distributions: it is the Euclidean distance of their
# square roots, divided by the square root of 2.

import matplotlib.pyplot as plt
import numpy as np
import pictures
from corpora import load_docstrings, vectorizer
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import retrieval_precision

corpus = load_docstrings()
counts = vectorizer()
X = counts.fit_transform(corpus.data)
lda = AmortizedLDA(50, max_iter=10, random_state=0).fit(X)
theta = lda.transform(X)

query = "eigenvalues and eigenvectors of a symmetric matrix"
query_theta = lda.transform(counts.transform([query]))
neighbors = NearestNeighbors(n_neighbors=5).fit(np.sqrt(theta))
distances, found = neighbors.kneighbors(np.sqrt(query_theta))
for distance, i in zip(distances[0] / np.sqrt(2), found[0]):
    print(f"{distance:.2f}  {corpus.names[i]}")

# %%
# How many neighbours have the label of the query
# -----------------------------------------------
# The labels are subpackages, which the model has not seen. Each of some documents is a
# query for the others.

_, some = train_test_split(np.arange(len(corpus.data)), random_state=0)
# The rows of tf-idf have unit length, so the squares are a distribution of words.
tfidf = TfidfTransformer().fit_transform(X[some]).toarray() ** 2
labels = corpus.target[some]
precision = {
    "50 topics": retrieval_precision(theta[some], labels),
    "tf-idf": retrieval_precision(tfidf, labels),
}
plt.bar(list(precision), list(precision.values()), color=["C0", "C1"])
plt.ylabel("precision of ten neighbours")
pictures.save("search")

# %%
# The bars compare 50 topics with thousands of tf-idf values.
