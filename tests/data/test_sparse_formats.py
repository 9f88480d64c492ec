"""Malformed matrices in any of scipy's seven formats raise a ValueError."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from conftest import small_estimator

from sklearn_amortlda.data.sparse_formats import checked
from sklearn_amortlda.data.validation import well_formed

DENSE = np.array([[0, 2, 0, 1], [3, 0, 0, 0], [0, 0, 5, 1]])
FORMATS = ["csr", "csc", "bsr", "coo", "lil", "dia", "dok"]
CONTAINERS = ["matrix", "array"]


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("format", FORMATS)
def test_valid_matrices_keep_their_entries(format, container, dtype):
    dense = DENSE.astype(dtype)
    X = getattr(sp, f"{format}_{container}")(dense)
    result = checked(X)
    assert result is not X
    np.testing.assert_array_equal(result.toarray(), dense)
    expected = np.float32 if dtype == np.float32 else np.float64
    assert result.dtype == expected


@pytest.mark.parametrize("format", FORMATS)
def test_matrix_without_entries(format):
    X = getattr(sp, f"{format}_array")((3, 4), dtype=np.float32)
    result = checked(X)
    assert result.shape == (3, 4) and result.nnz == 0 and result.dtype == np.float32


def set_item(part, key, value):
    part[key] = value


DAMAGES = {
    "dia: fewer offsets": ("dia", lambda X: setattr(X, "offsets", X.offsets[:1])),
    "dia: float offsets": ("dia", lambda X: setattr(X, "offsets", X.offsets + 0.5)),
    "dia: duplicate offsets": ("dia", lambda X: X.offsets.fill(0)),
    "dia: one axis": ("dia", lambda X: setattr(X, "data", X.data.ravel())),
    "lil: column": ("lil", lambda X: set_item(X.rows[0], -1, 10**6)),
    "lil: huge column": ("lil", lambda X: set_item(X.rows[0], -1, 2**70)),
    "lil: negative column": ("lil", lambda X: set_item(X.rows[0], 0, -1)),
    "lil: float column": ("lil", lambda X: set_item(X.rows[0], 0, 0.5)),
    "lil: fewer rows": ("lil", lambda X: setattr(X, "rows", X.rows[:-1])),
    "lil: fewer data": ("lil", lambda X: setattr(X, "data", X.data[:-1])),
    "lil: longer row": ("lil", lambda X: X.rows[0].append(2)),
    "lil: no list": ("lil", lambda X: set_item(X.rows, 0, None)),
    "dok: three numbers": ("dok", lambda X: set_item(X._dict, (0, 0, 0), 1)),
    "dok: one number": ("dok", lambda X: set_item(X._dict, 3, 1)),
    "dok: column": ("dok", lambda X: set_item(X._dict, (0, 2**40), 1)),
    "dok: negative row": ("dok", lambda X: set_item(X._dict, (-1, 0), 1)),
    "dok: float row": ("dok", lambda X: set_item(X._dict, (0.5, 0), 1)),
    "coo: one coordinate": ("coo", lambda X: setattr(X, "coords", X.coords[:1])),
    "coo: column": ("coo", lambda X: X.coords[1].fill(4)),
    "coo: fewer data": ("coo", lambda X: setattr(X, "data", X.data[:-1])),
    "coo: float column": (
        "coo",
        lambda X: setattr(X, "coords", (X.coords[0], X.coords[1] + 0.5)),
    ),
    "bsr: column": ("bsr", lambda X: X.indices.fill(4)),
    "csc: pointers": ("csc", lambda X: set_item(X.indptr, 1, 100)),
    "csr: None": ("csr", lambda X: setattr(X, "indices", None)),
    "dia: None": ("dia", lambda X: setattr(X, "offsets", None)),
    "lil: None": ("lil", lambda X: setattr(X, "data", None)),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", DAMAGES)
def test_malformed_matrix_raises(name, container):
    format, damage = DAMAGES[name]
    X = getattr(sp, f"{format}_{container}")(DENSE)
    damage(X)
    for use in (well_formed, small_estimator().fit):
        with pytest.raises(ValueError) as caught:
            use(X)
        assert len(str(caught.value)) > 20


def test_diagonals_outside_the_matrix_have_no_entries():
    data, offsets = np.ones((3, 4)), np.array([0, 10, -10])
    X = sp.dia_array((data, offsets), shape=(3, 4))
    np.testing.assert_array_equal(checked(X).toarray(), X.toarray())


def test_tensor_with_gradients_raises():
    X = torch.ones(3, 4, requires_grad=True)
    with pytest.raises(ValueError, match=r"pass X\.detach\(\)"):
        small_estimator().fit(X)
    small_estimator(batch_size=3).fit(X.detach())


def test_frame_with_a_column_of_that_name(frame):
    X = frame.rename(columns={"word0": "requires_grad"})
    small_estimator().fit(X).transform(X)
