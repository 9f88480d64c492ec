"""Effects of covariates: their definition, their intervals, and bad input."""

import numpy as np
import pytest
from conftest import draw_corpus, small_estimator
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from sklearn_amortlda.inspection import covariate_effects, top_words
from sklearn_amortlda.inspection._effects import _effects


@pytest.fixture(scope="module")
def covariates(corpus):
    rng = np.random.default_rng(0)
    n_samples = corpus.shape[0]
    return np.column_stack(
        [rng.normal(10.0, 2.0, n_samples), rng.integers(0, 2, n_samples)]
    )


@pytest.fixture(scope="module")
def lda(corpus, covariates):
    return small_estimator().fit(corpus, covariates=covariates)


def test_effects_are_changes_of_mean_shares(covariates):
    rng = np.random.default_rng(0)
    mean, scale = covariates.mean(axis=0), covariates.std(axis=0)
    weights = rng.normal(size=(3, 4))

    def shares(values):
        logs = weights[0] + (values - mean) / scale @ weights[1:]
        p = np.exp(logs)
        return (p / p.sum(axis=1, keepdims=True)).mean(axis=0)

    standardized = (covariates - mean) / scale
    values = [np.unique(column) for column in standardized.T]
    effects = _effects(standardized, weights, 1 / scale, values)
    step = 1e-5
    higher = covariates + np.array([step, 0.0])
    derivative = (shares(higher) - shares(covariates)) / step
    assert_allclose(effects[:, 0], derivative, rtol=1e-3, atol=1e-6)
    ones, zeros = covariates * [1, 0] + [0, 1], covariates * [1, 0]
    assert_allclose(effects[:, 1], shares(ones) - shares(zeros))
    assert_allclose(effects.sum(axis=0), 0, atol=1e-12)


def test_planted_effect_is_found_in_its_interval():
    X, beta, _ = draw_corpus(10, 3, 40, 50)
    rng = np.random.default_rng(0)
    late = rng.integers(0, 2, (500, 1))
    alpha = np.array([[0.6, 0.2, 0.2], [0.1, 0.2, 0.7]])[late.ravel()]
    theta = np.array([rng.dirichlet(a) for a in alpha])
    X = csr_array(np.array([rng.multinomial(60, t @ beta) for t in theta]))
    lda = small_estimator(n_components=3, max_iter=10).fit(X, covariates=late)
    effects = covariate_effects(lda, X, late, level=0.99, n_draws=80, as_frame=False)
    order = (lda.topic_word_ @ beta.T).argmax(axis=0)
    assert sorted(order) == [0, 1, 2]
    effect, lower, upper = (
        effects[name][order, 0] for name in ("effect", "lower", "upper")
    )
    true = np.array([-0.5, 0.0, 0.5])
    assert_allclose(effect, true, atol=0.15)
    assert ((lower < true) & (true < upper)).all()
    assert (upper - lower < 0.3).all()


def test_frame_has_a_row_for_each_topic_and_covariate(lda, corpus, covariates):
    pytest.importorskip("pandas")
    table = covariate_effects(lda, corpus, covariates, ["age", "late"], n_draws=20)
    assert list(table) == ["topic", "covariate", "effect", "lower", "upper", "words"]
    assert len(table) == 10
    words = [f"word{v}" for v in range(60)]
    options = {"n_draws": 20, "n_words": 2}
    named = covariate_effects(lda, corpus, covariates, None, words, **options)
    assert named["words"][0] == " ".join(top_words(lda, words, n_words=2)[0])
    assert_array_equal(table["covariate"][:4], ["age", "late", "age", "late"])
    arrays = covariate_effects(lda, corpus, covariates, n_draws=20, as_frame=False)
    assert_array_equal(arrays.names, ["c0", "c1"])
    assert_array_equal(arrays.effect.ravel(), table["effect"])
    assert arrays.draws.shape == (20, 5, 2)
    assert (arrays.lower <= arrays.upper).all()


def test_narrower_level_is_inside(lda, corpus, covariates):
    wide, narrow = (
        covariate_effects(
            lda, corpus, covariates, level=level, n_draws=20, as_frame=False
        )
        for level in (0.9, 0.5)
    )
    assert (wide.lower <= narrow.lower).all()
    assert (narrow.upper <= wide.upper).all()


def test_names_of_a_frame_are_kept_and_pipelines_work(texts, covariates):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(covariates, columns=["age", "late"])
    vectorizer = CountVectorizer().fit(texts)
    lda = small_estimator().fit(vectorizer.transform(texts), covariates=frame)
    pipeline = make_pipeline(vectorizer, lda)
    effects = covariate_effects(pipeline, texts, frame, n_draws=20, as_frame=False)
    assert_array_equal(effects.names, ["age", "late"])


@pytest.mark.parametrize(
    "change, message",
    [
        ({"names": ["one"]}, "the 2 names of the covariates"),
        ({"level": 1.0}, "level must be between 0 and 1"),
        ({"level": "0.9"}, "level must be between 0 and 1"),
        ({"n_draws": 3}, "n_draws must be an integer from 20 on"),
        ({"n_words": 61}, "n_words must be an integer from 1 to 60"),
        ({"feature_names": ["one"]}, "the model's 60 words"),
        ({"as_frame": "yes"}, "as_frame must be"),
        ({"covariates": None}, "covariates are missing"),
        ({"covariates": np.ones((300, 3))}, "3 columns"),
    ],
)
def test_bad_input_raises(lda, corpus, covariates, change, message):
    with pytest.raises(ValueError, match=message):
        covariate_effects(lda, corpus, **{"covariates": covariates, **change})


def test_fractions_raise(lda, corpus, covariates):
    with pytest.raises(ValueError, match="integer counts"):
        covariate_effects(lda, 0.5 * corpus, covariates)


def test_models_without_covariates_raise(corpus, covariates):
    with pytest.raises(ValueError, match="fitted without covariates"):
        covariate_effects(small_estimator().fit(corpus), corpus, covariates)
    other = LatentDirichletAllocation(3, max_iter=1).fit(corpus)
    with pytest.raises(TypeError, match="needs an AmortizedLDA"):
        covariate_effects(other, corpus, covariates)
