"""The table of topics."""

import sys

import numpy as np
import pytest
import sklearn
from inspection.fixed_model import TOPICS, WORDS, X
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils.fixes import parse_version

from sklearn_amortlda.inspection import (
    representative_documents,
    topic_labels,
    topic_relevance,
    topic_sizes,
    topic_table,
)
from sklearn_amortlda.metrics import topic_coherence


def test_table_has_the_values_computed_by_hand(model):
    pytest.importorskip("pandas")
    table = topic_table(model, X, WORDS, n_words=2)
    assert table.index.tolist() == [0, 1]
    assert table.columns.tolist() == [
        "size",
        "coherence",
        "exclusivity",
        "label",
        "words",
    ]
    assert_allclose(table["size"], [0.7, 0.3])
    assert table["words"].tolist() == ["cat purr", "dog the"]
    by_probability = topic_table(model, X, WORDS, n_words=2, ranking="probability")
    assert by_probability["words"].tolist() == ["the cat", "the dog"]
    # "the" has exclusivity 0.5, and the second word of each topic has 1.
    assert_allclose(table["exclusivity"], [0.75, 0.75])
    assert_allclose(
        table["coherence"], topic_coherence(TOPICS, X, n_top_words=2, average=False)
    )


def test_table_of_a_fitted_model_has_its_prior(lda, peer, corpus):
    pytest.importorskip("pandas")
    for fitted in (lda, peer):
        table = topic_table(fitted, corpus)
        assert_allclose(table["alpha"], fitted.doc_topic_prior_)
        assert_allclose(table["size"].sum(), 1.0)
        assert table["words"].str.split().str.len().tolist() == [10] * 5


def test_ranking_changes_the_words_of_the_table_only(lda, corpus):
    pytest.importorskip("pandas")
    ranking = topic_relevance(lda, corpus, weight=0.0)
    by_relevance = topic_table(lda, corpus, ranking=ranking)
    assert_array_equal(by_relevance["coherence"], topic_table(lda, corpus)["coherence"])
    assert np.all(by_relevance["words"] != topic_table(lda, corpus)["words"])


def test_arrays_have_the_values_of_the_frame(lda, corpus):
    pytest.importorskip("pandas")
    frame = topic_table(lda, corpus, as_frame=True)
    arrays = topic_table(lda, corpus, as_frame=False)
    assert list(arrays) == list(frame.columns)
    for name, values in arrays.items():
        assert isinstance(values, np.ndarray) and values.shape == (5,)
        assert_array_equal(values, frame[name])


def test_table_without_pandas_has_arrays(model, monkeypatch):
    if parse_version(sklearn.__version__) < parse_version("1.8"):
        pytest.skip("scikit-learn before 1.8 fails if pandas is blocked")
    monkeypatch.setitem(sys.modules, "pandas", None)
    table = topic_table(model, X, WORDS, n_words=2)
    assert_allclose(table.size, [0.7, 0.3])
    assert table.words.tolist() == ["cat purr", "dog the"]
    with pytest.raises(ImportError, match="pip install pandas, or pass as_frame=False"):
        topic_table(model, X, n_words=2, as_frame=True)


def test_table_without_documents_has_sizes_in_the_training_corpus(lda, corpus):
    table = topic_table(lda, as_frame=False)
    assert "coherence" not in table
    assert_allclose(table["size"].sum(), 1.0)
    assert_allclose(table["size"], topic_sizes(lda, corpus), atol=0.05)
    assert_array_equal(table.words, topic_table(lda, corpus, as_frame=False).words)


def test_table_of_topics_alone_has_no_sizes(model):
    table = topic_table(model, n_words=2, as_frame=False)
    assert list(table) == ["exclusivity", "label", "words"]


def test_labels_are_the_first_words(lda):
    assert_array_equal(topic_table(lda, as_frame=False).label, topic_labels(lda))
    one = topic_table(lda, n_words=1, as_frame=False)
    assert_array_equal(one.label, one.words)


def test_text_is_that_of_the_most_representative_document(lda, corpus, texts):
    best = representative_documents(lda, corpus, n_documents=1).ravel()
    table = topic_table(lda, corpus, texts=texts, as_frame=False)
    assert table.text.tolist() == [texts[document] for document in best]
    pd = pytest.importorskip("pandas")
    series = pd.Series(texts, index=np.arange(300)[::-1])
    found = topic_table(lda, corpus, texts=series, as_frame=False)
    assert_array_equal(found.text, table.text)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"texts": ["a"]}, "texts need X"),
        ({"X": X, "texts": ["a"]}, "inconsistent numbers of samples"),
        ({"as_frame": "pandas"}, "as_frame must be True, False or 'auto'"),
    ],
)
def test_invalid_arguments_raise(model, arguments, message):
    with pytest.raises(ValueError, match=message):
        topic_table(model, n_words=2, **arguments)
