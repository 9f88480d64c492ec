"""Train on a corpus that is read from disk in shards, and resume after a crash.

    python stream.py FOLDER

FOLDER contains the corpus as ``shard-*.npz`` (scipy sparse matrices, documents x words,
with the same columns). Optional files are ``words.txt`` (one word per line) and
``held-out.npz`` (documents for the evaluation). If FOLDER does not exist, it is created
from the docstrings of the installed scientific libraries.

Memory holds one shard at a time. After each shard the model and the position are saved
together in ``FOLDER/model.joblib``. After a crash, a kill -9 or Ctrl-C the same command
resumes from this file, and the result equals that of an uninterrupted run bit for bit.
The command with more --passes continues the training.
"""

import argparse
import os
import resource
import sys
import tempfile
from pathlib import Path

import joblib
import numpy as np
from scipy import sparse

from sklearn_amortlda import AmortizedLDA

N_SHARDS = 12
HELD_OUT = 0.1
N_TOP_WORDS = 8


def main():
    args = parse_arguments()
    if not args.folder.exists():
        print(f"{args.folder} does not exist: writing the docstrings to it")
        write_docstrings(args.folder)
    shards = find_shards(args.folder)
    n_documents = sum(map(count_documents, shards))
    print(f"{n_documents:,} documents in {len(shards)} shards")
    start = AmortizedLDA(
        args.n_components, total_samples=n_documents, random_state=args.seed
    )
    path = args.folder / "model.joblib"
    for position, lda in train(start, shards, args.passes, path):
        n_pass, n_shard = divmod(position - 1, len(shards))
        bound, memory = lda.history_[-1]["bound"], peak_memory_mb()
        print(
            f"pass {n_pass + 1}, shard {n_shard + 1}: bound {bound:.3f} per word, "
            f"peak memory {memory:.0f} MB",
            flush=True,
        )
    report(lda, args.folder)


def train(lda, shards, n_passes, path):
    """Pass over the shards; resumes from `path` if the file exists.

    Parameters
    ----------
    lda : AmortizedLDA
        The model to train if `path` does not exist. A saved model must have the same
        parameters.
    shards : list of Path
        The corpus, one sparse matrix per file.
    n_passes : int
        Number of passes over all shards.
    path : Path
        The file in which the model is saved after each shard.

    Yields
    ------
    position : int
        Number of shards read so far, over all passes.
    lda : AmortizedLDA
        The model, saved.
    """
    position = 0
    if path.exists():
        position, saved = joblib.load(path)
        if saved.get_params() != lda.get_params():
            raise SystemExit(
                f"{path} contains a model with other parameters, {saved}: delete the "
                "file, or pass the parameters of the model."
            )
        lda = saved
        yield position, lda
    while position < n_passes * len(shards):
        lda.partial_fit(sparse.load_npz(shards[shard_at(position, len(shards))]))
        position += 1
        save((position, lda), path)
        yield position, lda


def shard_at(position, n_shards):
    """Index of the shard at a position; each pass has its own random order."""
    n_pass, i = divmod(position, n_shards)
    return np.random.default_rng(n_pass).permutation(n_shards)[i]


def save(value, path):
    """Replace a file atomically: a kill leaves the old file or the new file."""
    temporary = path.with_suffix(".tmp")
    with open(temporary, "wb") as file:
        joblib.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def find_shards(folder):
    """Paths of the shards, sorted."""
    shards = sorted(folder.glob("shard-*.npz"))
    if not shards:
        raise SystemExit(f"{folder} contains no shard-*.npz: pass another folder.")
    return shards


def count_documents(shard):
    """Number of rows of a matrix on disk; reads the shape alone."""
    with np.load(shard) as arrays:
        return int(arrays["shape"][0])


def write_docstrings(folder):
    """Write the corpus of quickstart.py as shards; a tenth is held out."""
    from corpora import load_docstrings, vectorizer

    counter = vectorizer()
    X = counter.fit_transform(load_docstrings().data)
    X = X[np.random.default_rng(0).permutation(X.shape[0])]
    n_held_out = int(HELD_OUT * X.shape[0])
    # The folder is renamed when it is complete: a killed run leaves no partial corpus.
    folder.parent.mkdir(parents=True, exist_ok=True)
    incomplete = Path(tempfile.mkdtemp(dir=folder.parent))
    sparse.save_npz(incomplete / "held-out.npz", X[:n_held_out])
    for i, rows in enumerate(
        np.array_split(np.arange(n_held_out, X.shape[0]), N_SHARDS)
    ):
        sparse.save_npz(incomplete / f"shard-{i:04}.npz", X[rows])
    words = counter.get_feature_names_out()
    (incomplete / "words.txt").write_text("\n".join(words), encoding="utf-8")
    incomplete.rename(folder)


def report(lda, folder):
    """Print the topics by size, and the perplexity of held-out words."""
    words = folder / "words.txt"
    if words.exists():
        names = words.read_text(encoding="utf-8").split("\n")
        top_words = lda.top_words(names, n_words=N_TOP_WORDS)
        for k in np.argsort(-lda.components_.sum(axis=1)):
            print(f"topic {k:2}: {' '.join(top_words[k])}")
    held_out = folder / "held-out.npz"
    if held_out.exists():
        from sklearn_amortlda.metrics import document_completion_perplexity

        X = sparse.load_npz(held_out)
        print(f"held-out perplexity {document_completion_perplexity(lda, X):.0f}")


def peak_memory_mb():
    """Peak memory of this process, with all imported libraries."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts kilobytes, macOS bytes.
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of the corpus")
    parser.add_argument(
        "--n-components", type=int, default=50, help="number of topics (default: 50)"
    )
    parser.add_argument(
        "--passes", type=int, default=10, help="passes over the corpus (default: 10)"
    )
    parser.add_argument("--seed", type=int, default=0, help="random state (default: 0)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
