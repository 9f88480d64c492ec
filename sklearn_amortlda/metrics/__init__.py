"""Measures of the quality of topics.

The input is topics, of shape (n_topics, n_words), or a fitted estimator or Pipeline
with `topic_word_` or `components_`, and word counts ``X``, dense or sparse, of shape
(n_documents, n_words), or labels of documents. The output is a float, or one float a
topic or a document: coherence, diversity, stability, perplexity, log-likelihood in
nats, or agreement with labels. No function changes ``X`` or makes a sparse ``X`` dense.
"""

from ._coherence import embedding_coherence, topic_coherence, topic_stability
from ._completion import (
    completion_split,
    document_completion_perplexity,
    held_out_perplexity,
)
from ._labels import purity_score, retrieval_precision
from ._likelihood import held_out_log_likelihood
from ._overlap import inverted_rbo, topic_diversity, topic_uniqueness
from ._scorers import (
    c_v_scorer,
    document_completion_scorer,
    inverted_rbo_scorer,
    npmi_scorer,
    purity_scorer,
    retrieval_scorer,
    topic_diversity_scorer,
    topic_uniqueness_scorer,
    u_mass_scorer,
)

__all__ = [
    "c_v_scorer",
    "completion_split",
    "document_completion_perplexity",
    "document_completion_scorer",
    "embedding_coherence",
    "held_out_log_likelihood",
    "held_out_perplexity",
    "inverted_rbo",
    "inverted_rbo_scorer",
    "npmi_scorer",
    "purity_score",
    "purity_scorer",
    "retrieval_precision",
    "retrieval_scorer",
    "topic_coherence",
    "topic_diversity",
    "topic_diversity_scorer",
    "topic_stability",
    "topic_uniqueness",
    "topic_uniqueness_scorer",
    "u_mass_scorer",
]
