"""A fitted model goes in, and documents; a table of its topics comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch, check_consistent_length

from ..data.types import MatrixLike, TopicModel
from ..metrics._checks import simplex, top_indices
from ..metrics._coherence import topic_coherence
from ..metrics._models import model_and_counts, model_of, names_of, topics_of
from ._documents import representative_documents
from ._sizes import topic_sizes, training_shares
from ._words import joined, top_words

if TYPE_CHECKING:
    import pandas as pd

# The columns of a table, in their order.
_COLUMNS = ("size", "alpha", "coherence", "exclusivity", "label", "words", "text")


def topic_table(
    model: TopicModel,
    X: MatrixLike | None = None,
    feature_names: ArrayLike | None = None,
    *,
    n_words: int = 10,
    ranking: str | ArrayLike = "lift",
    texts: Sequence[str] | None = None,
    as_frame: bool | str = "auto",
) -> pd.DataFrame | Bunch:
    """Return a table of the topics: sizes, quality and top words.

    Parameters
    ----------
    model : fitted estimator or Pipeline
        The model has `topic_word_` or else `components_`, and `transform` if X is
        given.
    X : {array-like, sparse matrix} of shape (n_documents, n_words), default=None
        Counts of the documents that determine sizes and coherence, or the input of the
        Pipeline.
    feature_names : array-like of shape (n_features,), default=None
        The words; see :func:`top_words`.
    n_words : int, default=10
        Number of words of each topic, at least 2.
    ranking : {'lift', 'probability'} or array-like of shape (n_topics, n_features), \
            default='lift'
        What ranks the words in the column ``words``; see :func:`top_words`.
        Coherence and exclusivity always use the most probable words.
    texts : sequence of str of length n_documents, default=None
        The texts of the documents in X.
    as_frame : bool or 'auto', default='auto'
        Whether to return a DataFrame. False returns a Bunch of arrays. 'auto' returns a
        DataFrame if pandas is installed.

    Returns
    -------
    table : pandas.DataFrame or Bunch
        One row, or one entry of each array, per topic, in the order of the model. The
        columns, or arrays, are

        - ``size``: expected share of the words of X (:func:`topic_sizes`); without X
          the share of the sums of `components_`, which in LDA is the share of the
          training corpus. Absent if there is neither;
        - ``alpha``: Dirichlet prior of the topic, if the model has `doc_topic_prior_`;
        - ``coherence``: NPMI of the top words in X
          (:func:`~sklearn_amortlda.metrics.topic_coherence`); absent without X;
        - ``exclusivity``: mean over the top words of p(v | k) / sum_j p(v | j), as in
          MALLET's diagnostics. It is 1 if no other topic has the words, and
          1 / n_topics if all topics have them with equal probability;
        - ``label``: the first three of the words (:func:`topic_labels`);
        - ``words``: the top words, separated by spaces;
        - ``text``: the text of the document that represents the topic best
          (:func:`representative_documents`), if `texts` is given.

    Raises
    ------
    ImportError
        If `as_frame` is True and pandas is not installed.
    ValueError
        If `texts` is given without X or has another length, or `as_frame` is another
        value. Also as raised by :func:`top_words` and :func:`topic_sizes`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.inspection import topic_table
    >>> X = np.repeat([[5, 3, 0, 0], [0, 0, 3, 5]], [60, 20], axis=0)
    >>> lda = AmortizedLDA(2, random_state=0).fit(X)
    >>> table = topic_table(lda, X, ["cat", "purr", "bark", "dog"], n_words=2)
    >>> table = table[["size", "coherence", "words"]].sort_values("size")
    >>> print(table.round(1).to_string(index=False))
     size  coherence    words
      0.2        1.0 dog bark
      0.8        1.0 cat purr
    """
    frame = frame_type(as_frame, "topic_table")
    names = names_of(model, feature_names)
    columns = _of_documents(model, X, n_words, texts)
    topics = simplex(topics_of(model), "the model's topics")
    columns["exclusivity"] = _exclusivity(topics, n_words)
    words = top_words(model, names, n_words=n_words, ranking=ranking)
    columns["label"] = joined(words[:, :3], ", ")
    columns["words"] = joined(words, " ")
    present = {name: columns[name] for name in _COLUMNS if name in columns}
    return Bunch(**present) if frame is None else frame(present).rename_axis("topic")


def frame_type(as_frame, caller):
    """Return the type of a DataFrame, or None for arrays."""
    if as_frame not in (True, False, "auto"):
        raise ValueError(f"as_frame must be True, False or 'auto', got {as_frame!r}.")
    if not as_frame:
        return None
    try:
        import pandas as pd
    except ImportError as error:
        if as_frame == "auto":
            return None
        raise ImportError(
            f"{caller} with as_frame=True needs pandas, which is not installed: pip "
            "install pandas, or pass as_frame=False."
        ) from error
    return pd.DataFrame


def _of_documents(model, X, n_words, texts):
    """Return the columns that depend on the documents, or on training without X."""
    if X is None and texts is not None:
        raise ValueError("texts need X, the counts of these documents: pass X, too.")
    counts = None
    if X is not None:
        model, counts = model_and_counts(model, X)
    fitted = model_of(model)
    columns = {}
    if hasattr(fitted, "doc_topic_prior_"):
        columns["alpha"] = np.broadcast_to(
            fitted.doc_topic_prior_, len(topics_of(fitted))
        )
    if counts is not None:
        columns["size"] = topic_sizes(fitted, counts)
        columns["coherence"] = topic_coherence(
            topics_of(fitted), counts, n_top_words=n_words, average=False
        )
    elif hasattr(fitted, "components_"):
        columns["size"] = training_shares(fitted)
    if texts is not None:
        check_consistent_length(counts, texts)
        texts = list(texts)
        best = representative_documents(fitted, counts, n_documents=1).ravel()
        columns["text"] = np.array([texts[document] for document in best], object)
    return columns


def _exclusivity(topics, n_words):
    top = top_indices(topics, n_words, "n_words")
    own = np.take_along_axis(topics, top, axis=1)
    return (own / topics.sum(axis=0)[top]).mean(axis=1)
