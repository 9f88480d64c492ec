"""Weights of encoders as arrays."""

import pickle

import numpy as np
import pytest
from encoder.modules import ENCODERS, small_lda
from numpy.testing import assert_array_equal


@pytest.mark.parametrize("encoder", ENCODERS)
def test_weights_and_moments_are_arrays(corpus, encoder):
    fitted = small_lda(encoder=encoder).fit(corpus)
    arrays = {**fitted._encoder_weights, **fitted._optimizer_state}
    assert all(type(value) is np.ndarray for value in arrays.values())
    # The callable itself may refer to torch.
    fitted.encoder = None
    assert b"torch" not in pickle.dumps(fitted)


@pytest.mark.parametrize("fitted_with", ENCODERS[:3])
@pytest.mark.parametrize("other", ENCODERS[:4])
def test_weights_of_another_encoder_raise(corpus, fitted_with, other):
    if other == fitted_with:
        return
    fitted = small_lda(encoder=fitted_with, warm_start=True).fit(corpus)
    theta = fitted.transform(corpus)
    fitted.set_params(encoder=other)
    for method in (fitted.transform, fitted.fit, fitted.partial_fit):
        with pytest.raises(ValueError, match="does not fit the weights of the earlier"):
            method(corpus)
    fitted.set_params(encoder=fitted_with)
    assert_array_equal(fitted.transform(corpus), theta)
