"""Names of words, a model with given topics, and the texts of labels."""

import numpy as np

WORDS = np.array([f"word{v}" for v in range(60)], dtype=object)


class UniformModel:
    """A model with these topics, whose proportions are equal in every document."""

    def __init__(self, topic_word):
        self.components_ = np.asarray(topic_word)

    def transform(self, X):
        return np.full((X.shape[0], len(self.components_)), 1 / len(self.components_))


def texts_of(labels):
    return [label.get_text() for label in labels]
