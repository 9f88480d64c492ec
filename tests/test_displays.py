"""Pictures show the numbers that they claim to show, where a reader can see them."""

import subprocess
import sys
from itertools import combinations, pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from scipy.spatial.distance import pdist
from sklearn.decomposition import LatentDirichletAllocation

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.displays import (
    NComponentsCurveDisplay,
    TopicMapDisplay,
    TopicsDisplay,
    TopicsOverTimeDisplay,
    TopicsPerClassDisplay,
    TrainingCurveDisplay,
    to_pyldavis,
)
from sklearn_amortlda.displays._figure import shortened
from sklearn_amortlda.inspection import (
    top_words,
    topic_sizes,
    topics_over_time,
    topics_per_class,
)

matplotlib = pytest.importorskip("matplotlib", reason="needs the plot extra")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

WORDS = np.array([f"word{v}" for v in range(60)], dtype=object)


class Topics:
    """A model of given topics, in whose documents all are equally large."""

    def __init__(self, topic_word):
        self.components_ = np.asarray(topic_word)

    def transform(self, X):
        return np.full((X.shape[0], len(self.components_)), 1 / len(self.components_))


@pytest.fixture(autouse=True)
def no_open_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module", params=[AmortizedLDA, LatentDirichletAllocation])
def model(request, corpus):
    return request.param(5, max_iter=2, random_state=0).fit(corpus)


def texts(labels):
    return [label.get_text() for label in labels]


def test_bars_are_the_probabilities_of_the_top_words(model):
    display = TopicsDisplay.from_estimator(model, WORDS, topics=[3, 0], n_words=4)
    topic_word = model.components_ / model.components_.sum(axis=1, keepdims=True)
    for k, axes, bars in zip([3, 0], display.axes_, display.bars_):
        top = np.argsort(-topic_word[k])[:4]
        assert_allclose([bar.get_width() for bar in bars], topic_word[k, top])
        assert texts(axes.get_yticklabels()) == list(WORDS[top])
        assert axes.get_title() == f"topic {k}"
        assert axes.yaxis_inverted()  # the first word on top
    assert display.axes_[0].get_xlim() == display.axes_[1].get_xlim()
    assert len(display.figure_.axes) == 2


def test_words_of_any_length_stay_inside_the_figure():
    names = [*WORDS[:59], "antidisestablishment" * 3]
    topics = Topics(np.linspace(1, 2, 60) * np.ones((7, 1)))
    display = TopicsDisplay.from_estimator(topics, names, n_cols=3)
    display.figure_.canvas.draw()
    figure = display.figure_.bbox
    for axes in display.axes_:
        for label in axes.get_yticklabels():
            box = label.get_window_extent()
            assert figure.x0 <= box.x0 and box.x1 <= axes.get_window_extent().x0


def test_long_words_keep_both_ends():
    assert shortened(["short", 7]) == ["short", "7"]
    (word,) = shortened(["begin_of_a_very_long_word_end"])
    assert word.startswith("begin") and word.endswith("_end") and len(word) == 20


def test_training_curve_draws_what_was_recorded_where_it_was(corpus):
    lda = AmortizedLDA(
        3, max_iter=5, evaluate_every=2, early_stopping=True, random_state=0
    ).fit(corpus)
    display = TrainingCurveDisplay.from_estimator(lda)
    assert list(display.lines_) == ["bound", "perplexity", "validation_score"]
    for measure, line in display.lines_.items():
        recorded = [r for r in lda.history_ if measure in r]
        assert_array_equal(line.get_xdata(), [r["epoch"] for r in recorded])
        assert_array_equal(line.get_ydata(), [r[measure] for r in recorded])
    assert list(display.lines_["perplexity"].get_xdata()) == [2, 4]


def test_training_curve_has_no_panel_for_what_was_not_recorded(model):
    if hasattr(model, "history_"):
        assert len(TrainingCurveDisplay.from_estimator(model).axes_) == 1
    else:
        with pytest.raises(AttributeError, match="history_"):
            TrainingCurveDisplay.from_estimator(model)


def test_map_keeps_the_distances_of_three_topics(corpus):
    topic_word = np.random.default_rng(0).dirichlet(np.full(60, 0.1), 3)
    display = TopicMapDisplay.from_estimator(Topics(topic_word), corpus)
    # Three points with any distances have places on a plane.
    expected = pdist(topic_word, "jensenshannon")
    assert_allclose(pdist(display.coordinates), expected, rtol=1e-3)


def test_map_has_areas_by_size_and_labels_of_top_words(model, corpus):
    display = TopicMapDisplay.from_estimator(model, corpus, WORDS, n_words=2)
    areas = display.circles_.get_sizes()
    assert_allclose(areas / areas.sum(), topic_sizes(model, corpus))
    assert_array_equal(display.circles_.get_offsets(), display.coordinates)
    words = top_words(model, WORDS, n_words=2)
    for k, text in enumerate(display.texts_):
        assert text.get_text() == "\n".join([str(k), *words[k]])
        assert_array_equal(text.get_position(), display.coordinates[k])


@pytest.mark.parametrize("n_topics", [1, 2, 4])
def test_map_of_equal_topics_is_one_place(n_topics, corpus):
    topics = Topics(np.tile(np.arange(1.0, 61.0), (n_topics, 1)))
    display = TopicMapDisplay.from_estimator(topics, corpus)
    assert_allclose(display.coordinates, np.zeros((n_topics, 2)), atol=1e-6)


def test_labels_of_50_topics_can_be_read(corpus):
    topic_word = np.random.default_rng(0).dirichlet(np.full(60, 0.1), 50)
    display = TopicMapDisplay.from_estimator(Topics(topic_word), corpus)
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in display.texts_]
    frame = display.ax_.get_window_extent()
    assert all(frame.x0 < box.x0 and box.x1 < frame.x1 for box in boxes)
    hidden = 0
    for a, b in combinations(boxes, 2):
        common = a.intersection(a, b)
        hidden += common is not None and common.width * common.height > (
            0.3 * min(a.width * a.height, b.width * b.height)
        )
    assert hidden <= 2


def test_class_map_draws_topics_per_class(model, corpus):
    y = np.array(["ham", "spam", "eggs"])[np.arange(corpus.shape[0]) % 3]
    display = TopicsPerClassDisplay.from_estimator(model, corpus, y, WORDS, n_words=2)
    classes, shares = topics_per_class(model, corpus, y)
    cells = display.mesh_.get_array().reshape(5, 3)
    assert_array_equal(cells, shares[:, display.topics].T)
    assert sorted(display.topics) == list(range(5))
    assert texts(display.ax_.get_xticklabels()) == list(classes)
    words = top_words(model, WORDS, n_words=2)
    assert texts(display.ax_.get_yticklabels()) == [
        f"{' '.join(words[k])}  {k}" for k in display.topics
    ]
    # Row i of the array is where tick i is, and the first one on top.
    assert_array_equal(display.ax_.get_yticks(), np.arange(5))
    assert display.ax_.yaxis_inverted()


def test_topics_are_ordered_by_their_class_or_as_asked(model, corpus):
    y = np.arange(corpus.shape[0]) % 4
    display = TopicsPerClassDisplay.from_estimator(model, corpus, y)
    peaks = display.shares.argmax(axis=0)
    assert list(peaks) == sorted(peaks)
    asked = TopicsPerClassDisplay.from_estimator(model, corpus, y, topics=[4, 1])
    _, shares = topics_per_class(model, corpus, y)
    assert_array_equal(asked.shares, shares[:, [4, 1]])
    assert [label.split()[-1] for label in texts(asked.ax_.get_yticklabels())] == [
        "4",
        "1",
    ]


def test_a_class_without_words_is_not_drawn_as_0(model, corpus):
    X = corpus.toarray()
    X[:20] = 0
    display = TopicsPerClassDisplay.from_estimator(model, X, np.arange(300) < 20)
    masked = np.ma.getmaskarray(display.mesh_.get_array()).reshape(5, 2)
    assert_array_equal(masked, [[False, True]] * 5)


def test_names_of_many_classes_do_not_overlap(model, corpus):
    y = np.array([f"a class of some name, {i % 40:02d}" for i in range(300)])
    display = TopicsPerClassDisplay.from_estimator(model, corpus, y)
    display.figure_.canvas.draw()
    boxes = [label.get_window_extent() for label in display.ax_.get_xticklabels()]
    assert all(a.x1 <= b.x0 for a, b in pairwise(boxes))
    assert min(box.y0 for box in boxes) >= 0


@pytest.mark.parametrize("start", [1990.0, np.datetime64("1990-05-17")])
def test_time_map_draws_topics_over_time(model, corpus, start):
    time = start + np.arange(corpus.shape[0])
    display = TopicsOverTimeDisplay.from_estimator(model, corpus, time, n_bins=7)
    edges, shares = topics_over_time(model, corpus, time, n_bins=7)
    cells = display.mesh_.get_array().reshape(5, 7)
    assert_array_equal(cells, shares[:, display.topics].T)
    left, right = display.ax_.get_xlim()
    if display.edges.dtype.kind == "M":
        left, right = matplotlib.dates.num2date([left, right])
        left, right = (np.datetime64(t.replace(tzinfo=None)) for t in (left, right))
    assert (left, right) == (edges[0], edges[-1])


def test_curve_over_numbers_of_topics_is_the_mean_over_splits():
    rng = np.random.default_rng(0)
    curve = {name: rng.random((3, 4)) for name in ("perplexity", "coherence")}
    display = NComponentsCurveDisplay(
        n_components=np.array([2, 5, 9]), diversity=np.ones((3, 4)), **curve
    ).plot()
    assert [axes.get_title() for axes in display.axes_] == [
        "held-out perplexity",
        "coherence (NPMI)",
        "diversity",
    ]
    for name, values in curve.items():
        line, _, (bars,) = display.errorbars_[name]
        assert_array_equal(line.get_xdata(), [2, 5, 9])
        assert_allclose(line.get_ydata(), values.mean(axis=1))
        lengths = [end[1] - begin[1] for begin, end in bars.get_segments()]
        assert_allclose(lengths, 2 * values.std(axis=1))


def test_curve_from_estimator_fits_each_number_of_topics(corpus):
    lda = LatentDirichletAllocation(max_iter=1, random_state=0)
    display = NComponentsCurveDisplay.from_estimator(lda, corpus, [2, 4], cv=2)
    assert display.perplexity.shape == (2, 2)
    assert display.n_components.tolist() == [2, 4]
    assert not hasattr(lda, "components_")


def test_axes_and_styles_of_the_caller_are_used(model, corpus):
    figure, axes = plt.subplots(1, 2)
    display = TopicsDisplay.from_estimator(
        model, topics=[0, 1], ax=axes, bar_kw={"color": "red"}
    )
    assert display.figure_ is figure and plt.get_fignums() == [figure.number]
    assert display.bars_[1][0].get_facecolor() == (1, 0, 0, 1)
    figure, ax = plt.subplots()
    again = TopicMapDisplay.from_estimator(model, corpus, ax=ax)
    assert again.ax_ is ax
    again.plot(scatter_kw={"alpha": 0.9}, text_kw={"color": "blue"})
    assert again.ax_ is not ax
    assert again.circles_.get_alpha() == 0.9
    assert again.texts_[0].get_color() == "blue"
    with pytest.raises(ValueError, match="holds 1 axes, but 5 panels"):
        TopicsDisplay.from_estimator(model, ax=ax)


def test_the_module_loads_no_plotting_library():
    code = (
        "import sys, sklearn_amortlda.displays;"
        "print({'matplotlib', 'pyLDAvis', 'torch'} & set(sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert output.stdout.strip() == b"set()", output


def test_what_is_missing_is_named(model, corpus, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyLDAvis", None)
    with pytest.raises(ImportError, match=r"sklearn-amortlda\[vis\]"):
        to_pyldavis(model, corpus)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"TopicMapDisplay.* requires matplotlib"):
        TopicMapDisplay.from_estimator(model, corpus)


@pytest.mark.parametrize("container", [csr_array, np.asarray])
def test_pyldavis_keeps_topics_and_counts(model, corpus, container):
    pytest.importorskip("pyLDAvis", reason="needs the vis extra")
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


def test_pyldavis_writes_valid_json_of_impossible_words(corpus, tmp_path):
    pyLDAvis = pytest.importorskip("pyLDAvis", reason="needs the vis extra")
    import json

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    topics = Topics(np.kron(np.eye(4), np.ones(15)))
    prepared = to_pyldavis(topics, corpus, WORDS, lambda_step=0.5)
    json.loads(prepared.to_json(), parse_constant=refuse)
    pyLDAvis.save_html(prepared, str(tmp_path / "topics.html"))
    assert "word59" in (tmp_path / "topics.html").read_text()
