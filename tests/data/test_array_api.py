"""Arrays of other libraries under scikit-learn's array API dispatch."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import small_estimator
from sklearn import config_context

from sklearn_amortlda.data.array_api import like, to_numpy

SCRIPT = """
import numpy as np, torch
from sklearn import config_context
from sklearn_amortlda import AmortizedLDA

X = np.random.default_rng(0).poisson(1.0, (50, 20)).astype(np.float32)
lda = AmortizedLDA(3, max_iter=2, random_state=0)
expected = lda.fit_transform(X)
with config_context(array_api_dispatch=True):
    found = lda.fit_transform(torch.tensor(X))
    assert isinstance(found, torch.Tensor) and found.dtype == torch.float32
    assert found.device == torch.tensor(X).device
    assert isinstance(lda.components_, np.ndarray)
    assert isinstance(lda.transform(X), np.ndarray)
    score = lda.score(torch.tensor(X))
assert np.array_equal(found.numpy(), expected)
assert score == lda.score(X)
"""


def test_tensor_in_and_tensor_out():
    # scipy reads this variable once, when it is imported.
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    if "array_api_compat is required" in result.stderr:
        pytest.skip("needs array-api-compat")
    assert result.returncode == 0, result.stderr


def test_without_dispatch_results_are_numpy_arrays(corpus):
    lda = small_estimator().fit(corpus)
    X = torch.tensor(corpus[:5].toarray(), dtype=torch.float32)
    assert isinstance(lda.transform(X), np.ndarray)
    assert to_numpy(X) is X and like(np.ones(2), X) is not X


@pytest.mark.parametrize("interface", ["spmatrix", "sparray"])
def test_sparse_interface_does_not_change_results(corpus, interface):
    try:
        context = config_context(sparse_interface=interface)
    except TypeError:
        pytest.skip("needs scikit-learn 1.9")
    expected = small_estimator().fit_transform(corpus)
    with context:
        found = small_estimator().fit_transform(corpus)
    np.testing.assert_array_equal(found, expected)
