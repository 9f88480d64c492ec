"""
===============================
Which topics does a source have
===============================

Covariates are metadata that shift the prior of a document's topics. Here the documents
are docstrings, and the covariates are the library of a docstring and its length.
"""

# %%
# Fit with covariates
# -------------------
# Covariates are numbers. The baseline of the two indicators is SciPy.

import numpy as np
import pictures
from corpora import load_docstrings, vectorizer

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.displays import CovariateEffectsDisplay
from sklearn_amortlda.inspection import covariate_effects

corpus = load_docstrings()
libraries = np.array([name.split(".")[0] for name in corpus.target_names])
library = libraries[corpus.target]
chosen = np.flatnonzero(np.isin(library, ["scipy", "sklearn", "sympy"]))[::2]
counter = vectorizer()
X = counter.fit_transform([corpus.data[d] for d in chosen])
words = counter.get_feature_names_out()
covariates = np.column_stack(
    [
        library[chosen] == "sklearn",
        library[chosen] == "sympy",
        np.log2(np.maximum(np.ravel(X.sum(axis=1)), 1)),
    ]
)
names = ["scikit-learn", "SymPy", "length (doublings)"]
lda = AmortizedLDA(15, random_state=0).fit(X, covariates=covariates)

# %%
# Effects
# -------
# The effect of a library is the change of a topic's expected share from SciPy's
# documents, where the length is as it is. A Markov chain computes the intervals.

effects = covariate_effects(
    lda, X, covariates, names, n_draws=100, as_frame=False, random_state=0
)
CovariateEffectsDisplay(
    effect=effects.effect,
    lower=effects.lower,
    upper=effects.upper,
    names=names,
    words=lda.top_words(words, n_words=3),
).plot()
pictures.save("covariates")

# %%
# Topics about estimators and data have larger shares in scikit-learn, and topics about
# equations and polynomials have larger shares in SymPy. Grey intervals contain 0.
