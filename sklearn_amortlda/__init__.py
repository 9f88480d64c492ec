"""Amortized Latent Dirichlet Allocation as a scikit-learn estimator."""

from ._amortized_lda import AmortizedLDA

__version__ = "0.1.0"
__all__ = ["AmortizedLDA", "__version__"]
