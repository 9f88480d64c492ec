"""
================
When to stop
================

With ``early_stopping`` a fit holds out a tenth of the documents, and ends when they are
no longer predicted better.
"""

# %%
# A fit that chooses its number of epochs
# ---------------------------------------
# ``max_iter`` is the largest number of epochs. The step sizes are constant until the
# held-out score is stale, then they fall to zero.

import pictures
from corpora import load_docstrings, vectorizer

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.displays import TrainingCurveDisplay

X = vectorizer().fit_transform(load_docstrings().data[::4])
lda = AmortizedLDA(
    20, early_stopping=True, max_iter=60, n_iter_no_change=5, random_state=0
).fit(X)
print(f"{lda.n_iter_} of at most {lda.max_iter} epochs")
TrainingCurveDisplay.from_estimator(lda)
pictures.save("early_stopping")

# %%
# The second panel is the score of the held-out words. It rises once more when the step
# sizes fall, because the topics then average over many batches.
