"""Amortized Latent Dirichlet Allocation as a scikit-learn estimator."""

from ._amortized_lda import AmortizedLDA
from ._persistence import SKOPS_TRUSTED
from ._posterior import DirichletPosterior
from ._seeds import seeded_topic_word_prior

__version__ = "0.1.0"
__all__ = [
    "SKOPS_TRUSTED",
    "AmortizedLDA",
    "DirichletPosterior",
    "__version__",
    "seeded_topic_word_prior",
]
