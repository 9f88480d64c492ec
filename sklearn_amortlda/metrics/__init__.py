"""Quality of topics: coherence, diversity, stability, held-out likelihood.

Everything here works on arrays and sparse counts of any topic model; only the
functions that take an `estimator` need one, and any will do that has `transform`
and either `topic_word_` or `components_`. Logarithms are natural, ``X`` is never
densified and never changed.
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
