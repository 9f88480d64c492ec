"""
=========================
Pictures of a topic model
=========================

Each section answers one question about a fitted model with a scikit-learn Display
object. The corpus is every second docstring of the installed scientific libraries,
with its library as the class, so nothing is downloaded.
"""

# %%
# A fitted model
# --------------

import pictures
from corpora import load_docstrings, vectorizer
from sklearn.model_selection import ShuffleSplit

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.displays import (
    NComponentsCurveDisplay,
    TopicHierarchyDisplay,
    TopicMapDisplay,
    TopicsDisplay,
    TopicsPerClassDisplay,
    TrainingCurveDisplay,
)
from sklearn_amortlda.inspection import topic_sizes

corpus = load_docstrings()
counts = vectorizer()
X = counts.fit_transform(corpus.data[::2])
libraries = [name.split(".")[0] for name in corpus.names[::2]]
words = counts.get_feature_names_out()
lda = AmortizedLDA(20, early_stopping=True, random_state=0).fit(X)

# %%
# Has training converged?
# -----------------------
# The first panel is the bound of the training documents. With ``early_stopping`` the
# second panel is the log-likelihood of held-out words. When this curve is flat, more
# epochs do not improve the model.

TrainingCurveDisplay.from_estimator(lda)

# %%
# What are the topics about?
# --------------------------
# Each panel shows the top words of one of the nine largest topics. All panels have
# one scale, so topics with few words have long bars.

largest = topic_sizes(lda, X).argsort()[::-1][:9]
TopicsDisplay.from_estimator(lda, words, topics=largest, n_cols=3)

# %%
# Which topics are similar?
# -------------------------
# Topics that are close to each other use similar words. The area of a topic is its
# share of all words.

TopicMapDisplay.from_estimator(lda, X, words)

# %%
# Which topics can be merged?
# ---------------------------
# Similar topics merge at small distances. The colours show a cut into eight groups,
# which ``merge_topics(lda, topic_hierarchy(lda).cut(8))`` makes topics.

TopicHierarchyDisplay.from_estimator(lda, words, n_groups=8)

# %%
# Which documents have a topic?
# -----------------------------
# Topics are sorted by the library in which they are largest. A topic with one dark
# cell occurs in one library. A topic with many coloured cells consists of common
# words.

TopicsPerClassDisplay.from_estimator(lda, X, libraries, words)

# %%
# How many topics?
# ----------------
# The perplexity of held-out words falls while more topics improve the predictions. The
# coherence is high if the top words of a topic occur in common documents. The diversity
# falls when several topics have the same top words. To save time, the models are fitted
# to a third of the documents.

NComponentsCurveDisplay.from_estimator(
    AmortizedLDA(max_iter=10, random_state=0),
    X[::3],
    [5, 15, 40],
    cv=ShuffleSplit(2, test_size=0.2, random_state=0),
)
pictures.save("displays")
