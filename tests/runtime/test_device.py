"""Devices: those that exist are used, others raise."""

import re

import pytest
import torch

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.runtime.device import resolve_device

INVALID = [
    ("abacus", "device='abacus' is unknown to torch; choose 'auto' or one"),
    ("meta", "device='meta' is not available here"),
    (3.5, "device=3.5 is unknown"),
]


@pytest.mark.parametrize(("device", "message"), INVALID)
def test_invalid_device_raises_and_leaves_the_estimator_unfitted(
    corpus, device, message
):
    lda = AmortizedLDA(3, max_iter=1, device=device)
    with pytest.raises(ValueError, match=message):
        lda.fit(corpus)
    assert not hasattr(lda, "components_") and not hasattr(lda, "n_features_in_")


@pytest.mark.parametrize("device", ["cpu:5", torch.device("cpu")])
def test_cpu_with_or_without_index_fits(corpus, device):
    AmortizedLDA(3, max_iter=1, device=device).fit(corpus)


def test_auto_is_the_gpu_where_there_is_one(monkeypatch):
    for available, expected in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda a=available: a)
        assert resolve_device("auto") == torch.device(expected)


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is available")
@pytest.mark.parametrize("device", ["cuda", "cuda:1", torch.device("cuda")])
def test_unavailable_device_of_a_fitted_model_raises(corpus, device):
    fitted = AmortizedLDA(3, max_iter=1, random_state=0).fit(corpus)
    fitted.set_params(device=device)
    message = "is not available here; choose 'auto' or one of cpu"
    with pytest.raises(ValueError, match=re.escape(message)):
        fitted.transform(corpus)
    fitted.set_params(device="cpu").transform(corpus)
