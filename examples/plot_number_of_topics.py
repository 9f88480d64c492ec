"""
======================
How many topics to fit
======================

No number of topics is true for real documents. This example compares numbers by the
perplexity of held-out documents.
"""

# %%
# Perplexity for several numbers of topics
# ----------------------------------------
# Each model is fitted to three quarters of the documents. The words of each other
# document are split, and one half is predicted from the topics of the other half.

import pictures
from corpora import load_docstrings, vectorizer
from sklearn.model_selection import ShuffleSplit

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.displays import NComponentsCurveDisplay

X = vectorizer().fit_transform(load_docstrings().data[::3])
split = ShuffleSplit(1, test_size=0.25, random_state=0)
lda = AmortizedLDA(random_state=0, max_iter=15)
NComponentsCurveDisplay.from_estimator(lda, X, [5, 10, 20, 40, 80], cv=split)
pictures.save("number_of_topics")

# %%
# The perplexity falls steeply at first. Where it becomes flat, more topics do not
# predict more, and fewer are easier to read. The coherence has its maximum between.
