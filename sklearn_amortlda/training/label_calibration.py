"""Calibration of label probabilities by one exponent.

Input: the inference of a trained model and labelled documents. Output: an exponent.
theta . p(label | topic) is the distribution of one token of a label. It is flatter than
the distribution of the document's label, which all of the document's words determine.
An exponent is the inverse temperature of Guo et al. (2017, section 4.2), at equal
parameters for all classes.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.optimize import minimize_scalar

from ..data.corpus import Corpus
from ..data.labels import sharpened
from ..inference.inference import Inference

# Largest number of documents, which is enough for one parameter.
_MAX_DOCUMENTS = 2000
_LOG_RANGE = (np.log(0.1), np.log(100.0))


def label_exponent(
    inference: Inference, corpus: Corpus, topic_label: np.ndarray
) -> float | None:
    """The exponent of the highest likelihood; None if no document has a label.

    Parameters
    ----------
    inference : Inference
    corpus : Corpus
        Training documents.
    topic_label : ndarray of shape (n_topics, n_labels)
        p(label | topic).
    """
    tokens = corpus.counts[:, corpus.counts.shape[1] - corpus.n_labels :]
    labelled = np.flatnonzero(np.diff(tokens.indptr))
    if not len(labelled):
        return None
    n_documents = min(len(labelled), _MAX_DOCUMENTS)
    rows = labelled[np.linspace(0, len(labelled) - 1, n_documents).astype(int)]
    gamma = inference.gamma(corpus.without_labels()[rows])
    mixed = gamma / gamma.sum(axis=1, keepdims=True) @ topic_label
    shares = sp.csr_array(tokens[rows], dtype=np.float64)
    shares = shares.multiply(1.0 / shares.sum(axis=1)[:, np.newaxis])

    def loss(log_exponent):
        return -shares.multiply(np.log(sharpened(mixed, np.exp(log_exponent)))).sum()

    return float(np.exp(minimize_scalar(loss, bounds=_LOG_RANGE).x))
