"""
======================================
Features for a classifier, with labels
======================================

A label is a word that only training sees. ``label_weight`` is the number of its tokens,
as a share of the document's length. This Pipeline chooses the weight by a grid search.
"""

# %%
# Search without leakage
# ----------------------
# The Pipeline fits the topics with the labels of the training documents, and infers
# the features of all documents without labels. Cross-validation scores documents whose
# labels neither the topics nor the classifier has seen. If the topics were fitted to
# all documents first, their labels would leak into the features, and the score of a
# large weight would be too good.

import matplotlib.pyplot as plt
import numpy as np
import pictures
from corpora import load_docstrings, vectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_amortlda import AmortizedLDA

corpus = load_docstrings()
X = vectorizer().fit_transform(corpus.data[::2])
y = np.array([name.split(".")[0] for name in corpus.target_names])[corpus.target[::2]]
train, test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

weights = [0.0, 0.3, 1.0]
pipeline = make_pipeline(
    AmortizedLDA(20, max_iter=10, random_state=0),
    StandardScaler(),
    LogisticRegression(max_iter=1000),
)
search = GridSearchCV(pipeline, {"amortizedlda__label_weight": weights}, cv=2)
search.fit(train, y_train)
print(f"label_weight={search.best_params_['amortizedlda__label_weight']}")
print(f"accuracy on test documents: {search.score(test, y_test):.1%}")

# %%
# Accuracy and weight
# -------------------

plt.plot(weights, search.cv_results_["mean_test_score"], "o-", color="C0")
plt.xlabel("label_weight")
plt.ylabel("accuracy, two-fold cross-validation")
pictures.save("labels")

# %%
# A weight of 0 ignores the labels. With labels, topics separate the libraries.
