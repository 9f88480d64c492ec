"""Fuzzing of malformed CSR matrices: an error or the right result, and never a crash.

    python tests/fuzz_csr.py --cases 10000

Each case is a CSR matrix whose arrays hypothesis has built and damaged. Python loops
compute the dense matrix that the arrays describe. If there is one, every result must be
that of the dense matrix. If there is none, the method must raise a ValueError or
TypeError with a message. Child processes run the cases, so that a crash counts as a
failure and does not end the run. pytest does not collect this file.
"""

import argparse
import faulthandler
import math
import os
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from itertools import pairwise
from numbers import Real
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import joblib
import numpy as np
import scipy.sparse as sp
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sklearn_amortlda import AmortizedLDA

CASES_A_CHILD = 500
N_WORDS = 7
COUNT_TYPES = ["f8", "f4", "f2", "i1", "i4", "i8", "u2", "?"]
ODD_COUNTS = [np.nan, np.inf, -np.inf, -1.0, 1e300, 1e30, 1e9, 1e-45, 1e-310, -0.0, 0.5]
ODD_INDICES = [-1, -(2**31), 2**31 - 1, N_WORDS, N_WORDS - 1, 0, 10**6, 2**40, -(2**40)]


@st.composite
def matrices(draw):
    """(data, indices, indptr, number of rows, format): some valid, most malformed."""
    n_rows = draw(st.integers(1, 6))
    sizes = draw(st.lists(st.integers(0, 5), min_size=n_rows, max_size=n_rows))
    nnz = sum(sizes)
    # Unsorted, with duplicates and zeros.
    indices = draw(hnp.arrays(np.int64, nnz, elements=st.integers(0, N_WORDS - 1)))
    data = draw(hnp.arrays(np.float64, nnz, elements=st.integers(0, 100)))
    data = data.astype(draw(st.sampled_from(COUNT_TYPES)))
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    for damage in draw(st.lists(st.sampled_from(DAMAGES), max_size=2)):
        data, indices, indptr = damage(draw, data, indices, indptr)
    index_type = draw(st.sampled_from([None, "i4", "i8", "u4", "f8", "i1"]))
    if index_type is not None:
        with np.errstate(all="ignore"):
            indices, indptr = indices.astype(index_type), indptr.astype(index_type)
    arrays = [data, indices, indptr]
    if draw(st.booleans()):
        for array in arrays:
            array.flags.writeable = False
    return (*arrays, n_rows, draw(st.sampled_from(["csr_matrix", "csr_array"])))


def odd_count(draw, data, indices, indptr):
    data = data.astype(draw(st.sampled_from(["f8", "f4", "c16", "O"])))
    return put(draw, data, ODD_COUNTS), indices, indptr


def odd_index(draw, data, indices, indptr):
    return data, put(draw, indices, ODD_INDICES), indptr


def odd_pointer(draw, data, indices, indptr):
    values = [*ODD_INDICES, len(data), len(data) + 1, len(data) + 1000]
    return data, indices, put(draw, indptr, values)


def shuffled_pointers(draw, data, indices, indptr):
    return data, indices, np.array(draw(st.permutations(indptr.tolist())), np.int64)


def other_lengths(draw, data, indices, indptr):
    change = st.sampled_from([0, 0, -1, 1, 5])
    return tuple(resized(array, draw(change)) for array in (data, indices, indptr))


DAMAGES = [odd_count, odd_index, odd_pointer, shuffled_pointers, other_lengths]


def put(draw, array, values):
    array = array.copy()
    if len(array):
        with warnings.catch_warnings():
            # An overflow gives a value like any other.
            warnings.simplefilter("ignore")
            array[draw(st.integers(0, len(array) - 1))] = draw(st.sampled_from(values))
    return array


def resized(array, change):
    if change < 0:
        return array[:change].copy()
    return np.concatenate([array, np.zeros(change, dtype=array.dtype)])


def dense_rows(data, indices, indptr, n_rows):
    """Rows of the dense matrix, or None if the arrays describe none."""
    if data.dtype.kind == "c":
        return None
    data, indices, indptr = data.tolist(), indices.tolist(), indptr.tolist()
    if not all(isinstance(i, int) for i in indices + indptr):
        return None
    if len(indptr) != n_rows + 1 or indptr[0] != 0 or len(data) != len(indices):
        return None
    if indptr[-1] > len(data) or any(a > b for a, b in pairwise(indptr)):
        return None
    dense = [[0.0] * N_WORDS for _ in range(n_rows)]
    for row, (start, stop) in enumerate(pairwise(indptr)):
        for position in range(start, stop):
            column, count = indices[position], data[position]
            if not 0 <= column < N_WORDS or not isinstance(count, Real):
                return None
            if not abs(count) <= 1e15:
                return None
            dense[row][column] += float(count)
    return None if any(count < 0 for row in dense for count in row) else dense


def malformed(data, indices, indptr, n_rows, kind):
    """A matrix of these arrays, which scipy's constructor has not checked."""
    X = getattr(sp, kind)((n_rows, N_WORDS))
    X.data, X.indices, X.indptr = data, indices, indptr
    return X


def small():
    return AmortizedLDA(
        3, hidden_layer_sizes=(4,), max_iter=1, random_state=0, device="cpu"
    )


METHODS = {
    "transform": lambda fitted, X: fitted.transform(X),
    "score": lambda fitted, X: fitted.score(X),
    "perplexity": lambda fitted, X: fitted.perplexity(X),
    "fit": lambda _, X: small().fit(X).components_,
    "partial_fit": lambda _, X: small().partial_fit(X).components_,
}


def outcome(method, fitted, X):
    """The result, or the error that was raised."""
    try:
        return METHODS[method](fitted, X)
    except (ValueError, TypeError) as error:
        assert str(error), "an error without a message"
        return error


def check(fitted, case, method):
    dense = dense_rows(*case[:4])
    X, before = malformed(*case), joblib.hash(case[:3])
    found = outcome(method, fitted, X)
    assert joblib.hash(case[:3]) == before, "the caller's arrays were changed"
    assert all(a is b for a, b in zip(case, (X.data, X.indices, X.indptr)))
    if dense is None:
        assert isinstance(found, Exception), f"{method} accepted a malformed matrix"
        return "raised"
    expected = outcome(method, fitted, np.array(dense))
    # A matrix without words.
    if isinstance(expected, Exception):
        assert type(found) is type(expected), f"{found!r} is not {expected!r}"
        return "raised like the dense matrix"
    assert not isinstance(found, Exception), (
        f"{method} raised for a valid matrix: {found}"
    )
    assert math.isfinite(np.sum(expected))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    return "equal to the dense matrix"


def run_cases(n_cases, number, folder):
    """Run some cases in this process; a file has the latest case after a crash."""
    faulthandler.enable()
    rng = np.random.default_rng(0)
    fitted = small().fit(rng.poisson(1.0, (30, N_WORDS)))
    latest, outcomes = Path(folder) / "case", Counter()

    @seed(number)
    @settings(
        max_examples=n_cases,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(matrices(), st.sampled_from(sorted(METHODS)))
    def run(case, method):
        latest.write_text(f"{method} of {case!r}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outcomes[check(fitted, case, method)] += 1

    run()
    for name, count in outcomes.items():
        print(f"{count} {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        run_cases(arguments.cases, arguments.seed, arguments.child)
        return
    outcomes, number = Counter(), arguments.seed
    with tempfile.TemporaryDirectory() as folder:
        while (missing := arguments.cases - outcomes.total()) > 0:
            command = [sys.executable, __file__, "--child", folder]
            command += ["--seed", str(number), "--cases"]
            command += [str(min(missing, CASES_A_CHILD))]
            child = subprocess.run(command, capture_output=True, text=True)
            if child.returncode:
                case = (Path(folder) / "case").read_text()
                sys.exit(
                    f"{child.stderr}\nExit code {child.returncode}, seed {number}, "
                    f"last case: {case}"
                )
            for line in child.stdout.splitlines():
                count, name = line.split(" ", 1)
                outcomes[name] += int(count)
            number += 1
            print(f"{outcomes.total()} cases: {dict(outcomes)}", flush=True)


if __name__ == "__main__":
    main()
