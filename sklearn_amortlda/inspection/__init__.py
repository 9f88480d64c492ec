"""Reading a fitted topic model: its words, its documents, how many topics it needs.

Everything here takes any fitted model that has `transform` and either `topic_word_` or
`components_`, AmortizedLDA or scikit-learn's LatentDirichletAllocation; of a Pipeline
pass the last step, and the counts that reach it. Only :func:`prune_topics`, which
makes a new model, needs an AmortizedLDA. ``X`` is never densified and never changed.
"""

from ._alignment import align_topics
from ._documents import representative_documents, topics_over_time, topics_per_class
from ._number import n_components_curve, prune_topics
from ._sizes import effective_number_of_topics, topic_sizes
from ._words import top_words, topic_relevance, topic_table

__all__ = [
    "align_topics",
    "effective_number_of_topics",
    "n_components_curve",
    "prune_topics",
    "representative_documents",
    "top_words",
    "topic_relevance",
    "topic_sizes",
    "topic_table",
    "topics_over_time",
    "topics_per_class",
]
