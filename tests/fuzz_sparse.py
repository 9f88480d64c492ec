"""Fuzzing of malformed sparse X: an error or the right result, and never a crash.

    python tests/fuzz_sparse.py --cases 14000

Each case is a matrix in one of scipy's seven formats, whose parts hypothesis has built
and damaged. Python loops compute the dense matrix that the parts describe. If there is
one, every result must be that of the dense matrix. If there is none, the method must
raise a ValueError or TypeError with a message. Child processes run the cases, so that a
crash counts as a failure and does not end the run. pytest does not collect this file.
"""

import argparse
import faulthandler
import math
import os
import pickle
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from itertools import pairwise
from numbers import Integral, Real
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

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


FORMATS = {
    "csr": ("data", "indices", "indptr"),
    "csc": ("data", "indices", "indptr"),
    "bsr": ("data", "indices", "indptr"),
    "coo": ("data", "coords"),
    "dia": ("data", "offsets"),
    "lil": ("data", "rows"),
    "dok": ("_dict",),
}
BLOCK = 2


@st.composite
def matrices(draw):
    """(format, container, number of rows, parts): some valid, most malformed."""
    format = draw(st.sampled_from(sorted(FORMATS)))
    n_rows = BLOCK * draw(st.integers(1, 3))
    shape = n_rows, N_WORDS
    elements = st.sampled_from([0, 0, 0, 1, 2, 9])
    dense = draw(hnp.arrays(np.float64, shape, elements=elements))
    X = sp.coo_array(dense)
    options = {"blocksize": (BLOCK, 1)} if format == "bsr" else {}
    X = getattr(X, f"to{format}")(**options)
    parts = {name: getattr(X, name) for name in FORMATS[format]}
    if format == "coo":
        parts = {"data": X.data, "row": X.coords[0], "col": X.coords[1]}
    if isinstance(parts.get("data"), np.ndarray) and format != "lil":
        parts["data"] = parts["data"].astype(draw(st.sampled_from(COUNT_TYPES)))
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from(sorted(parts)))
        parts[name] = damaged(draw, parts[name])
    for part in parts.values():
        if isinstance(part, np.ndarray) and draw(st.booleans()):
            part.flags.writeable = False
    return format, draw(st.sampled_from(["matrix", "array"])), n_rows, parts


def damaged(draw, part):
    """A part with another value, length, order or type."""
    if isinstance(part, dict):
        return damaged_keys(draw, part)
    if part is None or draw(st.integers(0, 30)) == 0:
        return None
    if part.dtype == object:
        whole = all(isinstance(row, list) for row in part.flat)
        return damaged_lists(draw, part) if whole else part
    change = draw(st.sampled_from(["value", "length", "order", "type", "axis"]))
    if change == "value":
        dtype = draw(st.sampled_from([part.dtype, "f8", "f4", "i8"]))
        with np.errstate(all="ignore"):
            return put(
                draw,
                part.astype(dtype),
                draw(st.sampled_from([ODD_COUNTS, ODD_INDICES])),
            )
    if change == "length":
        return resized(part, draw(st.sampled_from([-1, 1, 5])))
    if change == "order":
        return part[draw(st.permutations(range(len(part))))] if len(part) else part
    if change == "type":
        with np.errstate(all="ignore"):
            return part.astype(draw(st.sampled_from(["f8", "i1", "u4", "c16", "O"])))
    return part[np.newaxis]


def damaged_lists(draw, lists):
    lists = np.array([None, *map(list, lists)], dtype=object)[1:]
    change = draw(st.sampled_from(["value", "length", "row", "rows"]))
    row = draw(st.integers(0, max(len(lists) - 1, 0)))
    if not len(lists):
        return lists
    if change == "rows":
        return lists[:-1]
    if change == "row":
        lists[row] = draw(st.sampled_from([None, (), [0], 3]))
    elif change == "length":
        lists[row] = lists[row][:-1] if draw(st.booleans()) else [*lists[row], 1]
    elif lists[row]:
        lists[row][-1] = draw(st.sampled_from([*ODD_INDICES, 0.5, None, "1", 1j]))
    return lists


def damaged_keys(draw, entries):
    entries = dict(entries)
    value = draw(st.sampled_from([*ODD_COUNTS, 3]))
    odd = draw(st.sampled_from([*ODD_INDICES, 0.5, None, 2**70]))
    key = draw(st.sampled_from([(0, odd), (odd, 0), (0, 0, 0), (0,), 3, (0, 0)]))
    entries[key] = value
    return entries


def put(draw, array, values):
    array = array.copy()
    if array.size:
        with warnings.catch_warnings():
            # An overflow gives a value like any other.
            warnings.simplefilter("ignore")
            try:
                array.flat[draw(st.integers(0, array.size - 1))] = draw(
                    st.sampled_from(values)
                )
            except (OverflowError, ValueError):
                pass
    return array


def resized(array, change):
    if change < 0:
        return array[:change].copy()
    more = np.zeros((change, *array.shape[1:]), dtype=array.dtype)
    return np.concatenate([array, more])


# -- the dense matrix that the parts describe ------------------------------------


class Malformed(Exception):
    """The parts describe no matrix of counts."""


def require(condition):
    if not condition:
        raise Malformed


def integers(part):
    require(isinstance(part, np.ndarray) and part.ndim == 1)
    values = part.tolist()
    require(part.dtype.kind in "iu")
    return values


def numbers(part, ndim=1):
    require(isinstance(part, np.ndarray) and part.ndim == ndim)
    require(part.dtype.kind in "biuf")
    return part.tolist()


def compressed_entries(parts, n_major, ndim=1):
    data = numbers(parts["data"], ndim)
    indices, indptr = integers(parts["indices"]), integers(parts["indptr"])
    require(len(indptr) == n_major + 1 and indptr[0] == 0)
    require(len(data) == len(indices) and indptr[-1] <= len(data))
    require(all(a <= b for a, b in pairwise(indptr)))
    for major, (start, stop) in enumerate(pairwise(indptr)):
        for i in range(start, stop):
            yield major, indices[i], data[i]


def entries_of(format, n_rows, parts):
    """(row, column, count) of every entry."""
    if format == "csr":
        yield from compressed_entries(parts, n_rows)
    elif format == "csc":
        for column, row, count in compressed_entries(parts, N_WORDS):
            yield row, column, count
    elif format == "bsr":
        require(np.shape(parts["data"])[1:] == (BLOCK, 1))
        for major, column, block in compressed_entries(parts, n_rows // BLOCK, ndim=3):
            for i in range(BLOCK):
                # A negative column would wrap around.
                yield major * BLOCK + i, column, block[i][0]
    elif format == "coo":
        data, row, col = (
            numbers(parts["data"]),
            *map(integers, (parts["row"], parts["col"])),
        )
        require(len(data) == len(row) == len(col))
        yield from zip(row, col, data)
    elif format == "dia":
        data, offsets = numbers(parts["data"], 2), integers(parts["offsets"])
        require(len(data) == len(offsets) == len(set(offsets)))
        for diagonal, offset in zip(data, offsets):
            for column, count in enumerate(diagonal[:N_WORDS]):
                # scipy stores zeros for the places outside the matrix.
                if 0 <= column - offset < n_rows and count != 0:
                    yield column - offset, column, count
    elif format == "lil":
        rows, data = parts["rows"], parts["data"]
        require(rows is not None and data is not None)
        require(np.shape(rows) == np.shape(data) == (n_rows,))
        for row, (columns, counts) in enumerate(zip(rows, data)):
            require(isinstance(columns, list | tuple))
            require(isinstance(counts, list | tuple) and len(counts) == len(columns))
            for column, count in zip(columns, counts):
                yield row, column, count
    else:
        for key, count in parts["_dict"].items():
            require(isinstance(key, tuple) and len(key) == 2)
            yield *key, count


def dense_rows(format, _, n_rows, parts):
    """Rows of the dense matrix, or None if the parts describe none."""
    dense = [[0.0] * N_WORDS for _ in range(n_rows)]
    try:
        for row, column, count in entries_of(format, n_rows, parts):
            require(all(isinstance(i, Integral) for i in (row, column)))
            require(0 <= column < N_WORDS and 0 <= row < n_rows)
            require(isinstance(count, Real) and abs(count) <= 1e15)
            dense[row][column] += float(count)
    except Malformed:
        return None
    return None if any(count < 0 for row in dense for count in row) else dense


def malformed(format, container, n_rows, parts):
    """A matrix of these parts, which scipy's constructor has not checked."""
    options = {"blocksize": (BLOCK, 1)} if format == "bsr" else {}
    X = getattr(sp, f"{format}_{container}")((n_rows, N_WORDS), **options)
    for name, part in parts.items():
        if name not in ("row", "col"):
            setattr(X, name, part)
    if format == "coo":
        X.coords = parts["row"], parts["col"]
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
    dense = dense_rows(*case)
    X, before = malformed(*case), pickle.dumps(case)
    found = outcome(method, fitted, X)
    assert pickle.dumps(case) == before, "the caller's arrays were changed"
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
            outcomes[f"{case[0]} {check(fitted, case, method)}"] += 1

    run()
    for name, count in outcomes.items():
        print(f"{count} {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=14_000)
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
