"""Measures of the quality of topics.

The input is topics, of shape (n_topics, n_words), or a fitted estimator or Pipeline
with `topic_word_` or `components_`, and word counts ``X``, dense or sparse, of shape
(n_documents, n_words). The output is a float, or one float a topic or a document:
coherence, diversity, stability, perplexity, or log-likelihood in nats. No function
changes ``X`` or makes a sparse ``X`` dense.
"""

from ._coherence import (
    topic_coherence,
    topic_diversity,
    topic_stability,
)
from ._completion import (
    completion_split,
    document_completion_perplexity,
    held_out_perplexity,
)
from ._likelihood import held_out_log_likelihood
from ._scorers import (
    c_v_scorer,
    document_completion_scorer,
    npmi_scorer,
    topic_diversity_scorer,
    u_mass_scorer,
)

__all__ = [
    "c_v_scorer",
    "completion_split",
    "document_completion_perplexity",
    "document_completion_scorer",
    "held_out_log_likelihood",
    "held_out_perplexity",
    "npmi_scorer",
    "topic_coherence",
    "topic_diversity",
    "topic_diversity_scorer",
    "topic_stability",
    "u_mass_scorer",
]
