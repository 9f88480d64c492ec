"""
=========================
Pictures of a topic model
=========================

What a reader asks of fitted topics, each as a scikit-learn Display object: has training
converged, what are the topics about, which are alike, which documents have them, and
how many should there be? The corpus is the docstrings of the installed scientific
libraries, labelled by subpackage, every other one to be quick; nothing is downloaded.
"""

# %%
# A fitted model
# --------------

import matplotlib.pyplot as plt
from corpora import load_docstrings, vectorizer
from sklearn.model_selection import ShuffleSplit

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.displays import (
    NComponentsCurveDisplay,
    TopicMapDisplay,
    TopicsDisplay,
    TopicsPerClassDisplay,
    TrainingCurveDisplay,
)
from sklearn_amortlda.inspection import topic_sizes

corpus = load_docstrings()
counts = vectorizer()
X = counts.fit_transform(corpus.data[::2])
labels = [corpus.target_names[label] for label in corpus.target[::2]]
words = counts.get_feature_names_out()
lda = AmortizedLDA(20, early_stopping=True, evaluate_every=5, random_state=0).fit(X)

# %%
# Has training converged?
# -----------------------
# The bound of the training data, their perplexity every fifth epoch, and how well
# held-out words are predicted. Where the last one is flat, more epochs gain nothing.

TrainingCurveDisplay.from_estimator(lda)

# %%
# What are the topics about?
# --------------------------
# Top words of the ten largest topics, on one scale: long bars are topics of few words.

largest = topic_sizes(lda, X).argsort()[::-1][:10]
TopicsDisplay.from_estimator(lda, words, topics=largest)

# %%
# Which topics are alike?
# -----------------------
# Near topics use the same words; the area is a topic's share of all words.

TopicMapDisplay.from_estimator(lda, X, words)

# %%
# Which documents have them?
# --------------------------
# Topics are ordered by the subpackage in which they are largest. A dark cell alone in
# its row is a topic of one subpackage; a row coloured throughout is common language.

TopicsPerClassDisplay.from_estimator(lda, X, labels, words)

# %%
# How many topics?
# ----------------
# On a third of these documents: the perplexity of held-out words falls as long as there
# is more to find, and diversity falls when topics begin to repeat.

NComponentsCurveDisplay.from_estimator(
    AmortizedLDA(max_iter=10, random_state=0),
    X[::3],
    [5, 15, 40],
    cv=ShuffleSplit(2, test_size=0.2, random_state=0),
)
plt.show()
