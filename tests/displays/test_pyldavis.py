"""Input of pyLDAvis."""

import json
import sys

import numpy as np
import pytest
from displays.drawing import WORDS, UniformModel
from numpy.testing import assert_allclose
from scipy.sparse import csr_array

from sklearn_amortlda.displays import TopicMapDisplay, to_pyldavis
from sklearn_amortlda.inspection import topic_sizes


def test_missing_pyldavis_raises_with_the_command_that_installs_it(
    model, corpus, monkeypatch
):
    monkeypatch.setitem(sys.modules, "pyLDAvis", None)
    with pytest.raises(ImportError, match="pip install pyLDAvis"):
        to_pyldavis(model, corpus)


@pytest.mark.parametrize("container", [csr_array, np.asarray])
def test_topics_and_counts_are_those_of_the_model(model, corpus, container):
    pytest.importorskip("pyLDAvis", reason="needs pyLDAvis")
    X = corpus.toarray()
    X[[0, 7]] = 0  # documents without words
    prepared = to_pyldavis(model, container(X), WORDS, R=60, lambda_step=0.5)
    assert prepared.topic_order == [1, 2, 3, 4, 5]
    places = prepared.topic_coordinates
    assert_allclose(places["Freq"] / 100, topic_sizes(model, X))
    assert_allclose(
        places[["x", "y"]],
        TopicMapDisplay.from_estimator(model, X).coordinates,
    )
    topic_word = model.components_ / model.components_.sum(axis=1, keepdims=True)
    expected = topic_sizes(model, X)[:, None] * X.sum() * topic_word
    for k in range(5):
        shown = prepared.topic_info.query(f"Category == 'Topic{k + 1}'")
        shown = shown.set_index("Term").loc[WORDS]
        assert_allclose(shown["Freq"], expected[k])
        assert_allclose(shown["logprob"], np.log(topic_word[k]), atol=1e-4)
        assert_allclose(shown["Total"], expected.sum(axis=0))


def test_impossible_words_give_valid_json(corpus, tmp_path):
    pyLDAvis = pytest.importorskip("pyLDAvis", reason="needs pyLDAvis")

    def refuse(constant):
        raise AssertionError(f"{constant} is not valid JSON")

    topics = UniformModel(np.kron(np.eye(4), np.ones(15)))
    prepared = to_pyldavis(topics, corpus, WORDS, lambda_step=0.5)
    json.loads(prepared.to_json(), parse_constant=refuse)
    pyLDAvis.save_html(prepared, str(tmp_path / "topics.html"))
    assert "word59" in (tmp_path / "topics.html").read_text()
