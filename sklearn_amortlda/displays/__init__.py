"""A fitted topic model and documents go in; matplotlib figures come out, as
scikit-learn Display objects. ``Display.from_estimator(model, ...)`` computes numbers
and draws them. The Display stores the numbers and the matplotlib objects, and its
method ``plot`` draws the numbers again. The model is any fitted estimator that has
`transform` and either `topic_word_` or `components_`, or a fitted Pipeline that ends in
such an estimator and takes raw documents. :func:`to_plotly` returns an interactive map
that plotly saves as one HTML file, and :func:`to_pyldavis` the input of pyLDAvis.
Importing this package imports neither matplotlib nor plotly nor pyLDAvis.
"""

from ._covariate_effects import CovariateEffectsDisplay
from ._n_components_curve import NComponentsCurveDisplay
from ._plotly import to_plotly
from ._pyldavis import to_pyldavis
from ._topic_hierarchy import TopicHierarchyDisplay
from ._topic_map import TopicMapDisplay
from ._topic_shares import TopicsOverTimeDisplay, TopicsPerClassDisplay
from ._topics import TopicsDisplay
from ._training_curve import TrainingCurveDisplay

__all__ = [
    "CovariateEffectsDisplay",
    "NComponentsCurveDisplay",
    "TopicHierarchyDisplay",
    "TopicMapDisplay",
    "TopicsDisplay",
    "TopicsOverTimeDisplay",
    "TopicsPerClassDisplay",
    "TrainingCurveDisplay",
    "to_plotly",
    "to_pyldavis",
]
