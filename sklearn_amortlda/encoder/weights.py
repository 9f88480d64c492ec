"""The weights of an encoder as a dict of NumPy arrays.

Input: the kind and the sizes of an encoder. Output: random initial weights. Functions
here also convert weights to a network and back.
"""

from __future__ import annotations

import math
import re

import numpy as np
import torch

from .custom import CustomBody
from .encoder import Encoder
from .mlp import MLPBody
from .transformer import TransformerBody
from .word_embedding import WordEmbedding
from .word_vectors import rows_from_vectors

BODIES = {"mlp": MLPBody, "transformer": TransformerBody}
# Standard deviation of the initial embedding. It does not depend on the vocabulary,
# because a document has only a small part of the vocabulary.
_EMBEDDING_SCALE = 0.05
# Biases of the layers whose widths are `hidden_layer_sizes`.
_BODY_BIAS = re.compile(r"body\.(layers\.\d+\.)?bias")


def initial_weights(
    occurs, hidden_layer_sizes, n_outputs, rng, *, kind="mlp", word_vectors=None
) -> dict:
    """Random weights of an encoder, as float32 arrays by name.

    NumPy draws the weights, so that the result of a seed does not depend on the device.

    Parameters
    ----------
    occurs : ndarray of bool of shape (n_features,)
        Words that occur. Other words get an embedding of zeros, because training does
        not update their rows.
    hidden_layer_sizes : sequence of int
    n_outputs : int
    rng : numpy.random.Generator
    kind : {'mlp', 'transformer'} or callable, default='mlp'
        The estimator's `encoder`. With a callable there is no embedding, and the
        callable draws the weights of the body.
    word_vectors : array-like of shape (n_features, n_dims), default=None
        Pretrained vectors for the embedding, see `rows_from_vectors`.
    """
    weights, n_features = {}, len(occurs)
    kw = {"dtype": torch.float32, "device": torch.device("cpu")}
    if callable(kind):
        seed = int(rng.integers(2**62))
        body = CustomBody(kind, n_features, hidden_layer_sizes[-1], seed=seed, **kw)
        body.try_out()
    else:
        body = BODIES[kind](hidden_layer_sizes, **kw)
        rows = np.zeros((n_features, hidden_layer_sizes[0]), np.float32)
        shape = np.count_nonzero(occurs), hidden_layer_sizes[0]
        rows[occurs] = _normal(rng, shape, _EMBEDDING_SCALE)
        weights["embedding"] = rows
    encoder = Encoder(None, body, hidden_layer_sizes[-1], n_outputs, **kw)
    for name, tensor in encoder.state_dict().items():
        blank = tensor.numpy()
        if name.startswith("body.module."):
            weights[name] = blank.copy()
        elif name.endswith("weight"):
            weights[name] = _normal(rng, blank.shape, 1 / math.sqrt(3 * blank.shape[1]))
        else:
            start = np.ones_like if name == "norm.running_var" else np.zeros_like
            weights[name] = start(blank)
    if word_vectors is not None:
        weights["embedding"] = rows_from_vectors(
            word_vectors, rows, _EMBEDDING_SCALE, rng
        )
    return weights


def load_encoder(
    weights: dict,
    *,
    kind="mlp",
    n_features: int,
    n_labels: int = 0,
    dtype,
    device,
    training: bool,
) -> Encoder:
    """The network with the given weights.

    Parameters
    ----------
    weights : dict of ndarray
        From `initial_weights` or `encoder_arrays`.
    kind : {'mlp', 'transformer'} or callable, default='mlp'
        The estimator's `encoder`.
    n_features : int
        Words of the vocabulary, with the columns of labels.
    n_labels : int, default=0
        Columns of labels, the last ones, which the encoder does not read.
    dtype : torch.dtype
        Type of the network's parameters.
    device : torch.device
        Device of the network.
    training : bool
        True returns a network in training mode, False one in eval mode without
        gradients.

    Raises
    ------
    ValueError
        If the weights belong to another kind of encoder.
    """
    n_outputs, sizes = len(weights["head.weight"]), hidden_sizes(weights)
    embedding = None
    # The parts of a user's module may share weights, so weights are copied into it.
    # Other modules are created on the meta device, which allocates no memory.
    copied = callable(kind)
    kw = {"dtype": dtype, "device": device if copied else torch.device("meta")}
    if copied:
        body = CustomBody(kind, n_features - n_labels, sizes[-1], **kw)
    else:
        body = BODIES[kind](sizes, **kw)
        rows = weights.get("embedding", np.empty((0, 0)))
        if rows.shape != (n_features, sizes[0]):
            raise _other_encoder(kind)
        # torch shares the memory of arrays, and warns about read-only ones.
        if training or not rows.flags.writeable:
            rows = rows.copy()
        embedding = WordEmbedding(rows, dtype=dtype, device=device)
    encoder = Encoder(embedding, body, sizes[-1], n_outputs, **kw)
    tensors = {
        name: torch.tensor(value, device=device)
        for name, value in weights.items()
        if name != "embedding"
    }
    try:
        encoder.load_state_dict(tensors, assign=not copied)
    except RuntimeError as error:
        raise _other_encoder(kind) from error
    if not training:
        encoder.requires_grad_(False)
    return encoder.train(training)


def hidden_sizes(weights: dict) -> tuple:
    """The widths of the hidden layers; for a user's module only the last width."""
    biases = [v for name, v in weights.items() if _BODY_BIAS.fullmatch(name)]
    return tuple(map(len, biases)) or (weights["head.weight"].shape[1],)


def encoder_arrays(encoder: Encoder) -> dict:
    """Copies of an encoder's weights, by name."""
    arrays = {}
    if encoder.embedding is not None:
        arrays["embedding"] = encoder.embedding.array()
    for name, tensor in encoder.state_dict().items():
        arrays[name] = tensor.cpu().numpy().copy()
    return arrays


def _other_encoder(kind):
    return ValueError(
        f"encoder={kind!r} does not fit the weights of the earlier fit: set "
        "encoder back, or fit again with warm_start=False."
    )


def _normal(rng, shape, scale):
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(scale)
