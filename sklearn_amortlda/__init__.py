"""Amortized Latent Dirichlet Allocation as a scikit-learn estimator.

Input: word counts. Output: a fitted `AmortizedLDA` with topics, and topic proportions
of documents. The folders follow the data: `data` (X to mini-batches), `kernels`
(products over non-zeros), `encoder` (the network), `model` (the Pyro program),
`inference` (posteriors of documents), `training`. `runtime` has devices, global state
and stored models. `metrics`, `inspection` and `displays` work with any topic model.
"""

from ._amortized_lda import AmortizedLDA
from .inference.posterior import DirichletPosterior, SampledPosterior
from .model.seeded_prior import seeded_topic_word_prior
from .runtime.serialization import SKOPS_TRUSTED

__version__ = "0.1.0"
__all__ = [
    "SKOPS_TRUSTED",
    "AmortizedLDA",
    "DirichletPosterior",
    "SampledPosterior",
    "__version__",
    "seeded_topic_word_prior",
]
