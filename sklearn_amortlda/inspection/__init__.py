"""A fitted topic model and documents go in; the words, sizes and documents of its
topics come out, as arrays and tables. The model is any fitted estimator that has
`transform` and either `topic_word_` or `components_`, such as AmortizedLDA and
scikit-learn's LatentDirichletAllocation, or a fitted Pipeline that ends in such an
estimator and takes raw documents. Some functions differ: :func:`prune_topics` and
:func:`merge_topics` need an AmortizedLDA and return a new model,
:func:`inference_gaps` and :func:`covariate_effects` need an AmortizedLDA, and
:func:`n_components_curve` takes an estimator that is not fitted. No function densifies
or changes X.
"""

from ._alignment import align_topics
from ._documents import representative_documents, topics_over_time, topics_per_class
from ._effects import covariate_effects
from ._gaps import inference_gaps
from ._hierarchy import TopicHierarchy, topic_hierarchy
from ._merging import merge_topics
from ._number import n_components_curve
from ._pruning import prune_topics
from ._ranking import topic_lift
from ._sizes import effective_number_of_topics, topic_sizes
from ._table import topic_table
from ._words import top_words, topic_labels, topic_relevance

__all__ = [
    "TopicHierarchy",
    "align_topics",
    "covariate_effects",
    "effective_number_of_topics",
    "inference_gaps",
    "merge_topics",
    "n_components_curve",
    "prune_topics",
    "representative_documents",
    "top_words",
    "topic_hierarchy",
    "topic_labels",
    "topic_lift",
    "topic_relevance",
    "topic_sizes",
    "topic_table",
    "topics_over_time",
    "topics_per_class",
]
