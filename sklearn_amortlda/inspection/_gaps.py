"""A fitted AmortizedLDA and documents go in; the gaps of its inference come out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from ..data.types import MatrixLike, RandomState, TopicModel
from ..metrics import held_out_log_likelihood
from ..metrics._models import check_names, model_and_counts


def inference_gaps(
    model: TopicModel,
    X: MatrixLike,
    *,
    refine: ArrayLike | None = None,
    n_particles: int = 50,
    random_state: RandomState = 0,
) -> Bunch:
    r"""Return how far the bound of each document is from its log-likelihood.

    The log-likelihood is the sum of the bound at the encoder's posterior and of two
    gaps [1]_:

    - the amortization gap, from the encoder to the optimum of the bound. `refine` steps
      close a part of it.
    - the variational gap, from the optimum to :math:`\log p(w_d | \alpha, \beta)`. It
      is the divergence of the best Dirichlet posterior from the exact one. The bound
      has several local optima; the higher of two is taken, one from the encoder's
      posterior and one from equal shares of the topics.

    Parameters
    ----------
    model : fitted AmortizedLDA or Pipeline that ends in one
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Integer counts of documents, or the input of the Pipeline.
    refine : int or array-like of int, default=None
        Numbers of refinements to compare. None is `refine` of the model.
    n_particles : int, default=50
        Particles of the left-to-right estimate, see
        :func:`sklearn_amortlda.metrics.held_out_log_likelihood`.
    random_state : int, RandomState instance or None, default=0
        Pass an int for the same estimate in every call.

    Returns
    -------
    gaps : Bunch
        Arrays of shape (n_samples,), in nats:

        - n_words : words of each document, to divide by.
        - encoder, optimum : the bound at the posterior of the encoder, and at the
          optimum.
        - refined : the bound after `refine` steps; of shape (n_values, n_samples) for
          several values.
        - score : the bound that `score` sums, after six more steps, which raise it.
        - log_likelihood : the left-to-right estimate.
        - amortization_gap, refined_gap : `optimum` less `encoder`, and less `refined`.
        - variational_gap : `log_likelihood` less `optimum`.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    TypeError
        If the model has no encoder.
    ValueError
        If `refine` is not a number of steps. Also as from `held_out_log_likelihood`.

    References
    ----------
    .. [1] C. Cremer, X. Li & D. Duvenaud (2018). Inference suboptimality in variational
       autoencoders. ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.inspection import inference_gaps
    >>> X = np.repeat([[5, 3, 0, 0], [0, 0, 3, 5]], 60, axis=0)
    >>> lda = AmortizedLDA(2, random_state=0).fit(X)
    >>> gaps = inference_gaps(lda, X[58:62])
    >>> bool((gaps.encoder <= gaps.optimum + 1e-3).all())
    True
    """
    check_is_fitted(model)
    lda, counts = model_and_counts(model, X)
    if not hasattr(lda, "doc_topic_posterior"):
        raise TypeError(
            f"inference_gaps needs an AmortizedLDA, got {type(lda).__name__}: other "
            "models have no encoder."
        )
    check_names(lda, counts)
    steps = _check_steps(lda.refine if refine is None else refine)
    with lda._reading(counts, whom="inference_gaps") as (documents, _, inference):
        encoder, *refined = (
            inference.bound(documents, n_refine=n, n_steps=0) for n in (0, *steps)
        )
        score = inference.bound(documents)
        optimum = inference.optimal_bound(documents)
    counts = documents.counts
    log_likelihood = held_out_log_likelihood(
        lda, counts, n_particles=n_particles, random_state=random_state
    )
    one = refine is None or np.ndim(refine) == 0
    refined = refined[0] if one else np.array(refined)
    return Bunch(
        n_words=counts.sum(axis=1),
        encoder=encoder,
        refined=refined,
        score=score,
        optimum=optimum,
        log_likelihood=log_likelihood,
        amortization_gap=optimum - encoder,
        refined_gap=optimum - refined,
        variational_gap=log_likelihood - optimum,
    )


def _check_steps(refine):
    steps = np.atleast_1d(refine)
    if steps.ndim != 1 or steps.dtype.kind not in "iu" or not (steps >= 0).all():
        raise ValueError(
            f"refine must be a number of steps from 0 on, or several, got {refine!r}."
        )
    return steps.tolist()
