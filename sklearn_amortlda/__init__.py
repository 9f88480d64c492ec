"""Amortized Latent Dirichlet Allocation as a scikit-learn estimator.

The folders follow the data: `data` (X to mini-batches), `kernels` (products over
non-zeros), `encoder` and `model` (the network and the Pyro program), `training`,
`inference` (posteriors of documents). `runtime` holds devices, global state and files.
`metrics`, `inspection` and `displays` work with any topic model.
"""

from ._amortized_lda import AmortizedLDA
from .inference.posterior import DirichletPosterior
from .model.seeded_prior import seeded_topic_word_prior
from .runtime.serialization import SKOPS_TRUSTED

__version__ = "0.1.0"
__all__ = [
    "SKOPS_TRUSTED",
    "AmortizedLDA",
    "DirichletPosterior",
    "__version__",
    "seeded_topic_word_prior",
]
