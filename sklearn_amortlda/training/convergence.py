"""Detection of an encoder that has not converged.

Input: the inference of the trained model and training documents. Output: a warning, if
the documents are less likely under the encoder than under a model without topics.
"""

from __future__ import annotations

import numpy as np

from ..data.corpus import Corpus
from ..inference.inference import Inference

# Largest number of documents in the comparison, which more documents do not change.
_MAX_DOCUMENTS = 1000
# Relative distance below the unigram model that gives no warning, because one smoothed
# topic of all words is slightly below the unigram model.
_TOLERANCE = 0.02


def convergence_warning(inference: Inference, corpus: Corpus) -> str | None:
    """A warning, or None if the encoder has converged.

    The log-likelihood of training documents at the encoder's mean of theta is compared
    with the unigram model, in which each word has its share of the corpus. A diverged
    encoder may have finite weights, so a check for NaN does not detect it.

    Parameters
    ----------
    inference : Inference
    corpus : Corpus
    """
    corpus = corpus.without_labels()
    documents = corpus[:_MAX_DOCUMENTS]
    X = documents.counts
    n_words = X.sum(dtype=np.float64)
    gamma = inference.gamma(documents, n_refine=0)
    encoder = inference.completion(gamma, documents).sum() / n_words
    shares = corpus.word_counts / corpus.word_counts.sum()
    unigram = X.data @ np.log(shares[X.indices]) / n_words
    if encoder >= unigram * (1.0 + _TOLERANCE):
        return None
    return (
        f"The encoder explains the training documents with {encoder:.3f} nats per "
        f"word, worse than the {unigram:.3f} of a model without topics. Check that X "
        "holds counts; lower learning_rate_init, n_components or doc_topic_prior; or "
        "raise max_iter."
    )
