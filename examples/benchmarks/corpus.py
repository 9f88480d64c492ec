"""Reads a corpus folder, and writes one from the docstrings of quickstart.py.

A folder contains ``{train,test}_bow.npz`` (scipy sparse, documents x words) and
``{train,test}_labels.txt`` (one integer per line).
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

PARTS = ("train", "test")
QUICK_DOCUMENTS = 300


@dataclass
class Corpus:
    """Training and test documents: counts (n_documents, n_words), integer labels."""

    train: sparse.csr_matrix
    test: sparse.csr_matrix
    train_labels: np.ndarray
    test_labels: np.ndarray


def load(folder, quick=False):
    """The corpus in a folder; `quick` keeps the first documents only."""
    folder = Path(folder)
    n = QUICK_DOCUMENTS if quick else None
    counts = [_read_counts(folder / f"{part}_bow.npz")[:n] for part in PARTS]
    labels = [
        np.loadtxt(folder / f"{part}_labels.txt", dtype=int)[:n] for part in PARTS
    ]
    return Corpus(*counts, *labels)


def write_docstrings(folder):
    """Write the corpus of quickstart.py to a folder; a fifth is for testing.

    compare.py calls this file as a process, because parsing would raise the peak memory
    of the models.
    """
    from sklearn.model_selection import train_test_split

    sys.path.append(str(Path(__file__).resolve().parents[1]))
    from corpora import load_docstrings, vectorizer

    corpus = load_docstrings()
    *texts, train_labels, test_labels = train_test_split(
        corpus.data,
        corpus.target,
        test_size=0.2,
        stratify=corpus.target,
        random_state=0,
    )
    counter = vectorizer().fit(texts[0])
    for part, documents, labels in zip(
        PARTS, texts, (train_labels, test_labels), strict=True
    ):
        np.savetxt(folder / f"{part}_labels.txt", labels, fmt="%d")
        sparse.save_npz(folder / f"{part}_bow.npz", counter.transform(documents))


def _read_counts(path):
    return sparse.csr_matrix(sparse.load_npz(path), dtype=np.int64)


if __name__ == "__main__":
    write_docstrings(Path(sys.argv[1]))
