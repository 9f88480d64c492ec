"""Pictures of a topic model, as scikit-learn's Display objects (the `plot` extra).

``Display.from_estimator(model, ...)`` draws; the object it returns holds the numbers
and what matplotlib made of them, and draws again with ``plot``. Any fitted model does
that has `transform` and either `topic_word_` or `components_`. Of a Pipeline pass the
last step, and the counts that reach it.
"""

from ._n_components_curve import NComponentsCurveDisplay
from ._pyldavis import to_pyldavis
from ._topic_map import TopicMapDisplay
from ._topic_shares import TopicsOverTimeDisplay, TopicsPerClassDisplay
from ._topics import TopicsDisplay
from ._training_curve import TrainingCurveDisplay

__all__ = [
    "NComponentsCurveDisplay",
    "TopicMapDisplay",
    "TopicsDisplay",
    "TopicsOverTimeDisplay",
    "TopicsPerClassDisplay",
    "TrainingCurveDisplay",
    "to_pyldavis",
]
