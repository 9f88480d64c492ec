"""Rounds of local training: each rank takes some steps, then the models are averaged.

Input: the steps of one rank. Output: the average of the ranks' models after each round.
A round is short while the topics change quickly, and long late in training (local SGD,
Stich 2019). lambda is a natural parameter, so the average of the ranks' lambda is a
step on all of their documents. The cost of an average follows the words of the round.
"""

from __future__ import annotations

import torch

# A round ends when the sum of the topics' rates reaches this divided by the ranks. With
# 16 the perplexity of short texts is 1 % higher than that of one process (AGNews).
_MAX_DISTANCE = 8.0
# Rounds of an epoch of a large corpus while rates are near 1. With 100,000 documents,
# ten rounds give the perplexity of one process (synthetic corpus).
_ROUNDS_PER_EPOCH = 10


class Rounds:
    """The words and the rates of a round.

    Parameters
    ----------
    communicator : Communicator

    Attributes
    ----------
    n_batches : int
        Batches of an epoch on all ranks.
    """

    def __init__(self, communicator):
        self._communicator = communicator
        self._words, self._distance = [], 0.0
        self.n_batches = 1

    def add(self, words, rate: float) -> None:
        """Record a step.

        Parameters
        ----------
        words : Tensor of shape (n_words,)
            The words of its batch.
        rate : float
            The rate of the topics.
        """
        self._words.append(words)
        self._distance += rate

    @property
    def is_over(self) -> bool:
        """Whether another step would take the ranks too far from each other."""
        distance = max(_MAX_DISTANCE, self.n_batches / _ROUNDS_PER_EPOCH)
        return self._distance >= distance / self._communicator.size

    @torch.no_grad()
    def average(self, lda, optimizer) -> None:
        """Replace the models of all ranks by their average."""
        if not self._words:
            return
        communicator = self._communicator
        words = communicator.union(torch.cat(self._words))
        self._words, self._distance = [], 0.0
        topics, embedding = lda.topics, lda.encoder.embedding
        tensors = [topics.expected_counts(words), torch.log(lda.alpha)]
        tensors += optimizer.averaged()
        if embedding is not None:
            tensors.append(embedding.gather(words, training=False))
            tensors.append(optimizer.rmsprop.gather(words))
        counts, log_alpha, *averages = communicator.average(tensors)
        (total,) = communicator.average([topics.sizes])
        topics.replace(words, counts, total)
        if optimizer.learn_alpha:
            lda.alpha = torch.exp(log_alpha)
        if embedding is not None:
            *averages, rows, squares = averages
            embedding.scatter(words, rows)
            optimizer.rmsprop.scatter(words, squares)
        for tensor, value in zip(optimizer.averaged(), averages):
            tensor.copy_(value)
