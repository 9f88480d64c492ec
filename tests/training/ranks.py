"""What each rank does in the tests of distributed fits, in a process of its own."""

import os
import signal
import time
from datetime import timedelta
from functools import partial

import joblib
import numpy as np
import pandas as pd
from conftest import draw_corpus
from scipy import sparse
from sklearn.base import clone

from sklearn_amortlda import AmortizedLDA

# So long that no test passes because collectives time out.
TIMEOUT = timedelta(hours=1)


def run_rank(pipe, store, rank, n_ranks, function, arguments):
    """Join a group of processes, and send the result of a function."""
    import torch.distributed as dist

    dist.init_process_group(
        "gloo", init_method=store, rank=rank, world_size=n_ranks, timeout=TIMEOUT
    )
    pipe.send(function(rank, *arguments))


def train_and_test():
    """Training documents, sorted by their most frequent word, and held-out ones."""
    X = draw_corpus(800, 6, 150, 50)[0]
    train, test = X[:600], X[600:]
    return train[np.argsort(train.toarray().argmax(axis=1))], test


def shard(X, rank):
    """The first fifth of the documents, or the others."""
    fifth = X.shape[0] // 5
    return X[:fifth] if rank == 0 else X[fifth:]


def message_of(action):
    """The error that an action raises, as text."""
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def noisy_module(n_features, n_hidden):
    """A user's encoder with dropout, and with a batch norm for each rank."""
    from torch import nn

    class Counts(nn.Linear):
        def forward(self, X):
            return super().forward(X.to_dense())

    return nn.Sequential(
        Counts(n_features, n_hidden), nn.BatchNorm1d(n_hidden), nn.Dropout(0.5)
    )


def fit_one_model(rank):
    X = shard(train_and_test()[0], rank)
    # More topics than the corpus has, so that some are merged; no common seed.
    lda = AmortizedLDA(
        9,
        topic_word_prior="auto",
        batch_size=60,
        max_iter=15,
        early_stopping=True,
        distributed=True,
    ).fit(X)
    fitted = joblib.hash(lda)
    custom = AmortizedLDA(
        3, encoder=noisy_module, batch_size=100, max_iter=2, distributed=True
    ).fit(X)
    others = joblib.hash(lda.partial_fit(X)), joblib.hash(custom._encoder_weights)
    return lda, fitted, *others


def fit_shards(rank):
    """Hashes of the topics from a matrix, and from a list of shards of it."""
    X = shard(train_and_test()[0], rank)
    lda = AmortizedLDA(3, max_iter=2, random_state=0, distributed=True)
    shards = [X[:40], lambda: X[40:]]
    return [joblib.hash(clone(lda).fit(data).components_) for data in (X, shards)]


def fit_until_rank_1_is_killed(rank):
    from sklearn_amortlda.training.svi import SVI

    original = SVI.step

    def step(svi, *arguments):
        if rank == 1 and svi.optimizer.n_steps == 30:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(svi, *arguments)

    X = shard(train_and_test()[0], rank)
    lda = AmortizedLDA(3, max_iter=1, distributed=True).fit(X)
    SVI.step, before = step, joblib.hash(lda)
    lda.max_iter = 1000
    error = message_of(lambda: lda.fit(X))
    lda.max_iter = 1
    return error, joblib.hash(lda) == before


def fit_with_mistakes(rank):
    X = shard(train_and_test()[0], rank)
    lda = AmortizedLDA(3, max_iter=2, random_state=0, distributed=True)
    bad = {
        "negative": -X if rank else X,
        "columns": X[:, : 150 - rank],
        "documents": X[:300] if rank else X[:2],
    }
    errors = {name: message_of(partial(lda.fit, Y)) for name, Y in bad.items()}
    lda.n_components += rank
    errors["parameters"] = message_of(partial(lda.fit, X))
    lda.n_components = 3
    errors["none"] = message_of(partial(lda.fit, X))
    # Only rank 1 continues its first fit.
    other = lda if rank else clone(lda)
    errors["history"] = message_of(partial(other.partial_fit, X))
    return errors


def keep_the_error(rank, folder):
    """Keep the error of a fit alive until the other ranks have ended theirs."""
    X = shard(train_and_test()[0], rank)
    lda = AmortizedLDA(3, max_iter=2, distributed=True)
    try:
        lda.fit(-X if rank == 1 else X)
    except Exception as error:
        kept = error
    (folder / str(rank)).touch()
    waiting = 0
    while len(list(folder.iterdir())) < 3 and waiting < 300:
        time.sleep(0.1)
        waiting += 1
    return len(list(folder.iterdir())) == 3, f"{type(kept).__name__}: {kept}"


def fit_with_disagreements(rank):
    X = shard(train_and_test()[0], rank)
    lda = AmortizedLDA(3, max_iter=2, random_state=0, distributed=True)
    method = lda.partial_fit if rank else lda.fit
    errors = {"method": message_of(partial(method, X))}
    dtype = np.float64 if rank else np.float32
    errors["dtype"] = message_of(partial(lda.fit, X.astype(dtype)))
    named = pd.DataFrame(X.toarray()).add_prefix("word") if rank else X
    errors["names"] = message_of(partial(lda.fit, named))
    return errors


def timeout_of_a_fit(rank):
    """The timeout of the group that a fit creates."""
    import torch

    from sklearn_amortlda.training import communicator

    with communicator.process_group() as ranks:
        return ranks._group._get_backend(torch.device("cpu")).options._timeout


def largest_messages(rank):
    """Numbers in the largest message of a chunk, of narrow and of wide documents."""
    from sklearn_amortlda.training.communicator import Communicator

    sizes, original = [], Communicator.sum_tensor

    def sum_tensor(communicator, tensor):
        sizes.append(tensor.numel())
        return original(communicator, tensor)

    Communicator.sum_tensor = sum_tensor
    narrow = sparse.csr_array(shard(train_and_test()[0], rank))
    shape = narrow.shape[0], 50_000
    wide = sparse.csr_array((narrow.data, narrow.indices, narrow.indptr), shape=shape)
    largest = []
    for X in narrow, wide:
        lda = AmortizedLDA(3, random_state=0, distributed=True).partial_fit(X)
        sizes.clear()
        lda.partial_fit(X)
        largest.append(max(sizes))
    return largest
