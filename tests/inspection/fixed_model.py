"""A model of two topics, with counts and proportions for results computed by hand."""

from types import SimpleNamespace

import numpy as np

WORDS = ["the", "cat", "purr", "dog"]
TOPICS = np.array([[0.5, 0.3, 0.2, 0.0], [0.5, 0.0, 0.0, 0.5]])
THETA = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.5, 0.5]])
X = np.array([[3, 2, 1, 0], [1, 0, 0, 1], [1, 0, 0, 1], [0, 0, 0, 0]])


def fixed_model(theta=THETA, topics=TOPICS):
    """Return a model with these topics, whose `transform` returns theta."""
    theta = np.asarray(theta, dtype=float)
    return SimpleNamespace(topic_word_=topics, transform=lambda X: theta)
