"""Faulty and extreme inputs, and faults during training.

A row of a table is an input or a fault. The outcome is the result of the clean corpus
bit for bit (SAME), a fit with finite results (FINITE), or an error of a given type and
message that leaves the earlier fit unchanged (BAD_X, BAD_PARAMETERS, FAULTS).
"""

import pickle
import re
import warnings
from dataclasses import dataclass, field

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from conftest import draw_corpus
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from sklearn_amortlda import AmortizedLDA, metrics
from sklearn_amortlda.training.loop import Training
from sklearn_amortlda.training.svi import SVI

CLEAN = draw_corpus(40, 3, 12, 15)[0].astype(np.float64)
DENSE = CLEAN.toarray()


def small(**parameters):
    settings = {
        "n_components": 3,
        "hidden_layer_sizes": (4,),
        "max_iter": 1,
        "random_state": 0,
        "device": "cpu",
    }
    return AmortizedLDA(**{**settings, **parameters})


@pytest.fixture(scope="module")
def clean():
    return small().fit(CLEAN)


def state_of(lda):
    """Hash of all attributes but the parameters, which a row may have changed."""
    return joblib.hash(
        {name: v for name, v in vars(lda).items() if name not in lda.get_params()}
    )


# -- inputs equal to the clean corpus ----------------------------------------------


def edited(matrix=CLEAN, **arrays):
    """A CSR matrix with some arrays replaced, without the checks of scipy."""
    X = matrix.copy()
    for name, array in arrays.items():
        setattr(X, name, array)
    return X


def read_only(X):
    X = X.copy()
    for array in (X,) if isinstance(X, np.ndarray) else (X.data, X.indices, X.indptr):
        array.flags.writeable = False
    return X


def memory_mapped(X, folder):
    joblib.dump(X, folder / "X")
    return joblib.load(folder / "X", mmap_mode="r")


def duplicated():
    """Every count above 1 as two entries, rows from right to left."""
    coo = CLEAN.tocoo()
    rows, columns = np.r_[coo.row, coo.row], np.r_[coo.col, coo.col]
    data = np.r_[coo.data - 1, np.ones(len(coo.data))]
    order = np.lexsort((-columns, rows))
    indptr = np.searchsorted(rows[order], np.arange(len(DENSE) + 1))
    return sp.csr_matrix((data[order], columns[order], indptr), shape=CLEAN.shape)


def with_explicit_zeros():
    X = CLEAN.copy()
    return sp.csr_array(
        (
            np.r_[X.data, np.zeros(5)],
            np.r_[X.indices, np.arange(5, dtype=X.indices.dtype)],
            np.r_[X.indptr[:-1], X.indptr[-1] + 5].astype(X.indptr.dtype),
        ),
        shape=X.shape,
    )


def uint8_duplicates():
    """uint8 duplicates with a sum that uint8 cannot hold."""
    row = np.full(3, 200, dtype=np.uint8)
    return sp.csr_matrix((row, np.zeros(3, dtype=int), [0, 3]), shape=(1, 12))


def polars_frame(X):
    polars = pytest.importorskip("polars")
    return polars.DataFrame(X, schema=[f"word{v}" for v in range(X.shape[1])])


def sparse(kind):
    return lambda _: getattr(sp, kind)(CLEAN)


SAME = {
    **{
        f"{form}_{kind}": sparse(f"{form}_{kind}")
        for form in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")
        for kind in ("matrix", "array")
    },
    "int64 indices": lambda _: edited(
        indices=CLEAN.indices.astype(np.int64), indptr=CLEAN.indptr.astype(np.int64)
    ),
    "int8 indices": lambda _: edited(indices=CLEAN.indices.astype(np.int8)),
    "duplicates, unsorted": lambda _: duplicated(),
    "explicit zeros": lambda _: with_explicit_zeros(),
    "entries after the last row": lambda _: edited(
        data=np.r_[CLEAN.data, -1.0], indices=np.r_[CLEAN.indices, 99]
    ),
    "read-only sparse": lambda _: read_only(CLEAN),
    "read-only, unsorted": lambda _: read_only(duplicated()),
    "read-only dense": lambda _: read_only(DENSE),
    "memory-mapped sparse": lambda folder: memory_mapped(duplicated(), folder),
    "memory-mapped dense": lambda folder: memory_mapped(DENSE, folder),
    "dense": lambda _: DENSE.copy(),
    "Fortran order": lambda _: np.asfortranarray(DENSE),
    "not contiguous": lambda _: np.repeat(np.repeat(DENSE, 2, 0), 3, 1)[::2, ::3],
    "backwards": lambda _: DENSE[::-1, ::-1].copy()[::-1, ::-1],
    "big-endian": lambda _: DENSE.astype(">f8"),
    "list of lists": lambda _: DENSE.tolist(),
    "float16": lambda _: DENSE.astype(np.float16),
    "sparse float128": lambda _: CLEAN.astype(np.longdouble),
    "uint8": lambda _: DENSE.astype(np.uint8),
    "sparse int32": lambda _: CLEAN.astype(np.int32),
    "objects": lambda _: DENSE.astype(object),
    "unmasked array": lambda _: np.ma.array(DENSE, mask=False),
    "pandas": lambda _: pd.DataFrame(DENSE),
    "pandas, sparse": lambda _: pd.DataFrame.sparse.from_spmatrix(CLEAN),
    "pandas, nullable": lambda _: pd.DataFrame(DENSE).astype("Int64"),
    "polars": lambda _: polars_frame(DENSE),
    "minus zero": lambda _: np.where(DENSE == 0, -0.0, DENSE),
    "counts below float32": lambda _: np.where(DENSE == 0, 1e-310, DENSE),
}


def hash_of(X):
    frame = hasattr(X, "to_numpy") or isinstance(X, np.ma.MaskedArray)
    return joblib.hash(np.asarray(X) if frame else X)


@pytest.mark.filterwarnings("ignore:.*(SparseEfficiency|lil|dia):UserWarning")
@pytest.mark.parametrize("row", SAME)
def test_equal_input_gives_the_same_result_and_is_unchanged(clean, row, tmp_path):
    X = SAME[row](tmp_path)
    before = hash_of(X)
    lda = small().fit(X)
    np.testing.assert_array_equal(lda.components_, clean.components_)
    np.testing.assert_array_equal(lda.transform(X), clean.transform(CLEAN))
    assert lda.score(X) == clean.score(CLEAN)
    assert hash_of(X) == before


def test_duplicates_are_summed_in_a_wider_type(clean):
    expected = clean.transform(np.eye(1, 12) * 600.0)
    np.testing.assert_array_equal(clean.transform(uint8_duplicates()), expected)
    both = sp.csr_matrix((np.ones(2, bool), [0, 0], [0, 2]), shape=(1, 12))
    np.testing.assert_array_equal(
        clean.transform(both), clean.transform(np.eye(1, 12) * 2.0)
    )


# -- inputs that raise -------------------------------------------------------------


def put(value, X=DENSE, **options):
    X = X.astype(**options) if options else X.copy()
    X[0, 0] = value
    return X


def broken(name, position, value):
    array = getattr(CLEAN, name).copy()
    array[position] = value
    return edited(**{name: array})


BAD_X = {
    "negative": (put(-1.0), ValueError, "Negative values in data"),
    "sparse negative": (sp.csr_matrix(put(-1.0)), ValueError, "Negative values"),
    "NaN": (put(np.nan), ValueError, "NaN"),
    "sparse NaN": (sp.csr_matrix(put(np.nan)), ValueError, "NaN"),
    "infinite": (put(np.inf), ValueError, "infinity"),
    "minus infinity": (put(-np.inf), ValueError, "infinity"),
    "1e300": (put(1e300), ValueError, "overflow float32"),
    "1e30": (put(1e30), ValueError, "overflow float32"),
    "sum beyond float64": (np.full((40, 12), 1e308), ValueError, "overflow float32"),
    "complex": (put(1j, dtype=complex), ValueError, "Complex data not supported"),
    "text": (put("word", dtype=object), ValueError, "put a CountVectorizer before"),
    "masked": (np.ma.masked_equal(DENSE, 1), ValueError, "masked"),
    "None": (None, ValueError, "Expected 2D array"),
    "a number": (3.0, ValueError, "Expected 2D array"),
    "a string": ("the cat sat", ValueError, "put a CountVectorizer before"),
    "1-D": (np.ones(12), ValueError, "Expected 2D array"),
    "3-D": (np.ones((2, 3, 12)), ValueError, "dim 3"),
    "no documents": (np.empty((0, 12)), ValueError, "0 sample"),
    "no words": (np.empty((4, 0)), ValueError, "0 feature"),
    "ragged": ([[1, 2], [3]], ValueError, "inhomogeneous|sequence"),
    "nested": ([[1, [2, 3]]], ValueError, "inhomogeneous|sequence"),
    "column too large": (broken("indices", 3, 12), ValueError, "ind"),
    "column huge": (broken("indices", 3, 2**31 - 1), ValueError, "ind"),
    "column negative": (broken("indices", 3, -1), ValueError, "ind"),
    "columns no integers": (
        edited(indices=CLEAN.indices + 0.5),
        ValueError,
        "must be integers",
    ),
    "pointers decrease": (broken("indptr", 5, 10**6), ValueError, "pointer|indptr"),
    "pointers decrease to 0": (broken("indptr", -1, 0), ValueError, "pointer|indptr"),
    "pointers negative": (broken("indptr", -1, -(2**31)), ValueError, "pointer|indptr"),
    "pointers beyond": (broken("indptr", -1, 10**6), ValueError, "pointer|indptr|size"),
    "pointers start late": (broken("indptr", 0, 1), ValueError, "pointer|indptr"),
    "pointers too few": (
        edited(indptr=CLEAN.indptr[:-1]),
        ValueError,
        "pointer|indptr",
    ),
    "data too short": (edited(data=CLEAN.data[:-1]), ValueError, "same size"),
    "pointers no integers": (
        edited(indptr=CLEAN.indptr.astype(float)),
        ValueError,
        "must be integers",
    ),
}
_csc = CLEAN.tocsc()
_csc.indices[3] = 10**6
BAD_X["csc row too large"] = (_csc, ValueError, "ind")
_coo = CLEAN.copy().tocoo()
_coo.col[3] = 10**6
BAD_X["coo column too large"] = (_coo, ValueError, "index|ind")


MALFORMED = [row for row in BAD_X if row.startswith(("col", "csc", "coo", "pointers"))]


@pytest.mark.parametrize("method", ["fit", "partial_fit", "transform", "score"])
@pytest.mark.parametrize("row", BAD_X)
def test_bad_x_raises_and_keeps_the_earlier_fit(clean, row, method):
    X, error, message = BAD_X[row]
    lda = pickle.loads(pickle.dumps(clean))
    before = state_of(lda)
    with pytest.raises(error, match=message):
        getattr(lda, method)(X)
    assert state_of(lda) == before
    np.testing.assert_array_equal(lda.transform(CLEAN), clean.transform(CLEAN))


@pytest.mark.parametrize("row", MALFORMED)
def test_malformed_indices_raise_in_metrics(clean, row):
    X, error, message = BAD_X[row]
    for metric in (
        lambda: metrics.topic_coherence(clean.topic_word_, X),
        lambda: metrics.completion_split(X),
        lambda: metrics.document_completion_perplexity(clean, X),
    ):
        with pytest.raises(error, match=message):
            metric()


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_non_finite_counts_raise_under_assume_finite(clean, value, method):
    lda = pickle.loads(pickle.dumps(clean))
    with config_context(assume_finite=True):
        np.testing.assert_array_equal(small().fit(CLEAN).components_, clean.components_)
        with pytest.raises(ValueError, match=r"NaN|overflow"):
            getattr(lda, method)(sp.csr_matrix(put(value)))


# -- extreme numbers ---------------------------------------------------------------


def identical(n_samples):
    return sp.csr_matrix(np.tile([[1.0, 2.0, 0.0, 3.0]], (n_samples, 1)))


@dataclass
class Numbers:
    X: object = field(default_factory=CLEAN.copy)
    parameters: dict = field(default_factory=dict)


FINITE = {
    "learning rate 10": Numbers(parameters={"learning_rate_init": 10.0}),
    "learning rate 1e6": Numbers(parameters={"learning_rate_init": 1e6}),
    "learning rate 1e-30": Numbers(parameters={"learning_rate_init": 1e-30}),
    "counts of 1e9": Numbers(CLEAN * 1e9),
    "one count of 1e9": Numbers(put(1e9)),
    "counts of 1e-20": Numbers(CLEAN * 1e-20),
    "denormals": Numbers(CLEAN * 1e-45),
    "denormals among counts": Numbers(np.where(DENSE == 0, 1e-45, DENSE)),
    "K > vocabulary": Numbers(parameters={"n_components": 50}),
    "K = 1": Numbers(parameters={"n_components": 1}),
    "one document": Numbers(CLEAN[:1]),
    "one word": Numbers(np.ones((30, 1))),
    "one of each": Numbers(np.array([[3.0]])),
    "all rows equal": Numbers(np.ones((30, 12))),
    "100,000 identical documents": Numbers(
        identical(100_000), {"batch_size": 10_000, "refine": 0}
    ),
    "words never seen": Numbers(sp.csr_matrix(np.hstack([DENSE, np.zeros((40, 9))]))),
    "mostly empty rows": Numbers(np.vstack([DENSE, np.zeros((200, 12))])),
    "disjoint documents": Numbers(np.eye(30)),
    "alpha above 1": Numbers(parameters={"doc_topic_prior": 50.0}),
    "alpha 1e-12": Numbers(parameters={"doc_topic_prior": 1e-12}),
    "eta above 1": Numbers(parameters={"topic_word_prior": 50.0}),
    "eta 1e-12": Numbers(parameters={"topic_word_prior": 1e-12}),
    "eta 1e6": Numbers(parameters={"topic_word_prior": 1e6}),
    "batch larger than the corpus": Numbers(parameters={"batch_size": 10**9}),
    "batches of one": Numbers(parameters={"batch_size": 1}),
    "no refinement": Numbers(parameters={"refine": 0}),
}


@pytest.mark.filterwarnings("ignore:The encoder explains:UserWarning")
@pytest.mark.parametrize("row", FINITE)
def test_extreme_input_gives_finite_results(row):
    X, lda = FINITE[row].X, small(**FINITE[row].parameters)
    theta = lda.fit(X).transform(X)
    assert np.isfinite(lda.components_).all() and (lda.components_ > 0).all()
    np.testing.assert_allclose(lda.topic_word_.sum(axis=1), 1.0, rtol=1e-4)
    assert (theta >= 0).all()
    np.testing.assert_allclose(theta.sum(axis=1), 1.0, rtol=1e-5)
    assert np.isfinite([lda.bound_, lda.score(X), lda.perplexity(X)]).all()


def test_identical_documents_have_identical_proportions():
    X = identical(1000)
    theta = small().fit(X).transform(X)
    np.testing.assert_array_equal(theta, np.tile(theta[:1], (1000, 1)))


def test_proportions_under_a_huge_prior_are_the_prior_mean():
    lda = small(doc_topic_prior=1e6).fit(CLEAN)
    np.testing.assert_allclose(lda.transform(CLEAN), 1 / 3, rtol=1e-4)


def test_scale_of_large_counts_does_not_matter():
    X, larger = CLEAN * 1e6, CLEAN * 1e7
    lda, other = (small(max_iter=20).fit(counts) for counts in (X, larger))
    assert other.perplexity(larger) == pytest.approx(lda.perplexity(X), rel=1e-3)
    np.testing.assert_allclose(lda.transform(X), lda.transform(larger), atol=1e-3)


# -- parameters --------------------------------------------------------------------

BAD_PARAMETERS = {
    "K = 0": ({"n_components": 0}, ValueError, "n_components"),
    "K = True": ({"n_components": True}, ValueError, "n_components"),
    "K = 2.0": ({"n_components": 2.0}, ValueError, "n_components"),
    "K beyond memory": ({"n_components": 10**12}, MemoryError, "n_components"),
    "layer beyond memory": (
        {"hidden_layer_sizes": (10**12,)},
        MemoryError,
        "hidden_layer_sizes",
    ),
    "alpha 0": ({"doc_topic_prior": 0.0}, ValueError, "doc_topic_prior"),
    "alpha NaN": ({"doc_topic_prior": np.nan}, ValueError, "doc_topic_prior"),
    "alpha 1e30": ({"doc_topic_prior": 1e30}, ValueError, "doc_topic_prior must be"),
    "alpha 1e-30": ({"doc_topic_prior": 1e-30}, ValueError, "doc_topic_prior must be"),
    "alpha of another K": ({"doc_topic_prior": [1.0] * 4}, ValueError, r"\(4,\)"),
    "eta 1e30": ({"topic_word_prior": 1e30}, ValueError, "topic_word_prior must be"),
    "eta 1e-30": ({"topic_word_prior": 1e-30}, ValueError, "topic_word_prior must be"),
    "eta of another V": ({"topic_word_prior": np.ones(5)}, ValueError, r"\(5,\)"),
    "no layers": ({"hidden_layer_sizes": ()}, ValueError, "hidden_layer_sizes"),
    "learning rate 0": ({"learning_rate_init": 0.0}, ValueError, "learning_rate"),
    "unknown objective": ({"objective": "elbo"}, ValueError, "objective"),
    "unknown device": ({"device": "abacus"}, ValueError, "choose 'auto' or one of"),
    "no epochs": ({"max_iter": 0}, ValueError, "max_iter"),
    "batch of none": ({"batch_size": 0}, ValueError, "batch_size"),
    "nothing to validate on": (
        {"early_stopping": True, "validation_fraction": 1e-6},
        ValueError,
        "validation_fraction",
    ),
}


@pytest.mark.parametrize("row", BAD_PARAMETERS)
def test_bad_parameter_raises_and_keeps_the_earlier_fit(clean, row):
    parameters, error, message = BAD_PARAMETERS[row]
    lda = pickle.loads(pickle.dumps(clean))
    before, expected = state_of(lda), clean.transform(CLEAN)
    with pytest.raises(error, match=message):
        lda.set_params(**parameters).fit(CLEAN)
    assert state_of(lda) == before
    lda.set_params(**clean.get_params())
    np.testing.assert_array_equal(lda.transform(CLEAN), expected)


# -- misuse ------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["transform", "score", "perplexity"])
def test_unfitted_model_raises(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(small(), method)(CLEAN)


@pytest.mark.parametrize("method", ["transform", "score", "perplexity", "partial_fit"])
@pytest.mark.parametrize("n_words", [11, 13])
def test_other_number_of_features_raises(clean, method, n_words):
    lda = pickle.loads(pickle.dumps(clean))
    with pytest.raises(ValueError, match=f"X has {n_words} features"):
        getattr(lda, method)(np.ones((2, n_words)))
    np.testing.assert_array_equal(lda.transform(CLEAN), clean.transform(CLEAN))


@pytest.mark.parametrize("method", ["fit", "partial_fit", "perplexity"])
def test_x_without_words_raises(clean, method):
    lda = pickle.loads(pickle.dumps(clean))
    with pytest.raises(ValueError, match=r"X has no words|X has none"):
        getattr(lda, method)(np.zeros((4, 12)))


def test_document_without_words_has_the_prior_mean(clean):
    alpha = clean.doc_topic_prior_
    theta = clean.transform(np.zeros((1, 12)))
    np.testing.assert_allclose(theta[0], alpha / alpha.sum(), rtol=1e-5)


def test_permuted_columns_raise_and_failed_refit_keeps_the_names():
    frame = pd.DataFrame(DENSE).add_prefix("word")
    lda = small().fit(frame)
    with pytest.raises(ValueError, match="feature names should match"):
        lda.transform(frame[frame.columns[::-1]])
    names = list(lda.feature_names_in_)
    with pytest.raises(ValueError, match="X has no words"):
        lda.fit(np.zeros((4, 7)))
    assert lda.n_features_in_ == 12 and list(lda.feature_names_in_) == names


# -- faults during training --------------------------------------------------------

FAULTS = {
    "exit": (SystemExit(1), SystemExit, "1"),
    "an error": (OSError("the disk"), OSError, "the disk"),
    "a torch error": (RuntimeError("shapes"), RuntimeError, "shapes"),
    "out of memory": (MemoryError(), MemoryError, "at least .* GB.*Lower "),
    "torch out of memory": (
        RuntimeError("DefaultCPUAllocator: can't allocate memory: 1 TB"),
        MemoryError,
        "Lower .*1 TB|1 TB.*Lower ",
    ),
    "CUDA out of memory": (
        RuntimeError("CUDA out of memory. Tried to allocate"),
        MemoryError,
        "CUDA out of memory.*Lower ",
    ),
}


@pytest.mark.parametrize("where", ["first step", "end"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("row", FAULTS)
def test_fault_during_training_keeps_the_earlier_fit(
    clean, row, method, where, monkeypatch
):
    fault, error, message = FAULTS[row]
    lda = pickle.loads(pickle.dumps(clean))
    before = state_of(lda)

    def fail(*_, **__):
        raise fault

    if where == "first step":
        monkeypatch.setattr(SVI, "step", fail)
    elif method == "fit":
        monkeypatch.setattr(Training, "_evidence_bound", fail)
    else:
        monkeypatch.setattr(SVI, "state", fail)
    with pytest.raises(error, match=re.compile(message, re.DOTALL)):
        getattr(lda, method)(CLEAN)
    assert state_of(lda) == before
    np.testing.assert_array_equal(lda.transform(CLEAN), clean.transform(CLEAN))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_interrupt_before_the_first_step_keeps_the_fit(clean, method, monkeypatch):
    lda = pickle.loads(pickle.dumps(clean))
    before = state_of(lda)

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(SVI, "step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        getattr(lda, method)(CLEAN)
    assert state_of(lda) == before


def test_nan_bound_raises_and_keeps_the_earlier_fit(clean, monkeypatch):
    lda = pickle.loads(pickle.dumps(clean))
    monkeypatch.setattr(Training, "_train", lambda *_, **__: float("nan"))
    with pytest.raises(FloatingPointError, match="Lower learning_rate_init"):
        lda.fit(CLEAN)
    np.testing.assert_array_equal(lda.transform(CLEAN), clean.transform(CLEAN))


def test_divergence_with_finite_results_warns():
    X = draw_corpus(300, 5, 60, 40)[0]
    lda = AmortizedLDA(
        3, learning_rate_init=10.0, max_iter=3, random_state=0, device="cpu"
    )
    with pytest.warns(ConvergenceWarning, match="lower learning_rate_init"):
        lda.fit(X)


def test_ordinary_fit_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(max_iter=5).fit(CLEAN).score(CLEAN)


BAD_VALUES = {
    "objective": "nonsense",
    "batch_size": 0,
    "learning_schedule": "x",
    "encoder": "x",
    "refine": -1,
    "n_components": 0,
    "max_iter": 0,
    "total_samples": 0,
    "learning_offset": 0,
    "validation_fraction": 2,
    "n_iter_no_change": 0,
    "learning_rate_init": 0.0,
    "hidden_layer_sizes": (),
    "doc_topic_prior": -1,
    "random_state": "x",
    "checkpoint": 3,
}


@pytest.mark.parametrize("name", BAD_VALUES)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_bad_values_are_named_without_scikit_learns_validation(method, name):
    lda = AmortizedLDA(3, early_stopping=True).set_params(**{name: BAD_VALUES[name]})
    with config_context(skip_parameter_validation=True):
        with pytest.raises(ValueError, match=name):
            getattr(lda, method)(DENSE)


def errors():
    """An error of each kind that users can cause."""
    fitted = AmortizedLDA(3, max_iter=1, device="cpu").fit(DENSE)
    actions = [
        lambda: fitted.fit(-DENSE),
        lambda: fitted.transform(DENSE[:, :1]),
        lambda: AmortizedLDA(device="nowhere").fit(DENSE),
        lambda: AmortizedLDA(checkpoint="/nowhere/at/all").fit(DENSE),
        lambda: AmortizedLDA(n_components=10**12).fit(DENSE),
        lambda: AmortizedLDA(distributed=True).fit(DENSE),
        lambda: AmortizedLDA().transform(DENSE),
        lambda: AmortizedLDA().__setstate__({**fitted.__getstate__(), "_time": -1}),
    ]
    for action in actions:
        with pytest.raises(Exception) as caught:
            action()
        yield caught.value


def test_errors_keep_their_text_through_pickle():
    # Dask and Ray return the errors of workers through pickle, which drops causes.
    for error in errors():
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error) and str(again) == str(error)
        assert len(str(error)) > 30
        if error.__cause__ is not None and not isinstance(
            error.__cause__, RuntimeError
        ):
            assert str(error.__cause__) in str(again)
