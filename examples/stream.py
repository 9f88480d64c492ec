"""Train on a corpus read from disk chunk by chunk; killed, go on where it was.

    python stream.py FOLDER

FOLDER holds the corpus as ``shard-*.npz`` (scipy sparse, documents x words, the same
columns in each); beside them may be ``words.txt`` (a word a line) and ``held-out.npz``,
documents to be judged on. Where FOLDER does not exist, it is made of the docstrings of
the installed scientific libraries.

One shard at a time is in memory. After each, model and position are saved together in
``FOLDER/model.joblib``: start the command again after a crash, a kill -9 or Ctrl-C, and
the result is, bit for bit, that of a run which nothing disturbed. Start it again with
more --passes to train on.
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
        print(f"{args.folder} is not there: writing the docstrings to it")
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
            f"pass {n_pass + 1}, shard {n_shard + 1}: bound {bound:.3f} a word, "
            f"{memory:.0f} MB at most",
            flush=True,
        )
    report(lda, args.folder)


def train(lda, shards, n_passes, path):
    """Pass over the shards, from where an earlier call with this path has stopped.

    Parameters
    ----------
    lda : AmortizedLDA
        Where to begin if there is no earlier call; its parameters are compared with
        the saved model's.
    shards : list of Path
        The corpus, a sparse matrix a file.
    n_passes : int
        Times to read each shard.
    path : Path
        Where the model is saved after each shard.

    Yields
    ------
    position : int
        Shards read so far, over all passes.
    lda : AmortizedLDA
        The model that has just been saved.
    """
    position = 0
    if path.exists():
        position, saved = joblib.load(path)
        if saved.get_params() != lda.get_params():
            raise SystemExit(
                f"{path} holds a model with other parameters, {saved}: delete it, or "
                "give the same ones."
            )
        lda = saved
        yield position, lda
    while position < n_passes * len(shards):
        lda.partial_fit(sparse.load_npz(shards[shard_at(position, len(shards))]))
        position += 1
        save((position, lda), path)
        yield position, lda


def shard_at(position, n_shards):
    """Index of the shard to read at a position: each pass has an order of its own."""
    n_pass, place = divmod(position, n_shards)
    return np.random.default_rng(n_pass).permutation(n_shards)[place]


def save(value, path):
    """Write a file as a whole: killed at any moment, it is the old or the new one."""
    temporary = path.with_suffix(".tmp")
    with open(temporary, "wb") as file:
        joblib.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def find_shards(folder):
    """Paths of the corpus, in order."""
    shards = sorted(folder.glob("shard-*.npz"))
    if not shards:
        raise SystemExit(f"{folder} holds no shard-*.npz.")
    return shards


def count_documents(shard):
    """Rows of a matrix on disk, without reading its entries."""
    with np.load(shard) as arrays:
        return int(arrays["shape"][0])


def write_docstrings(folder):
    """The quickstart's corpus as shards, a tenth of it held out."""
    from corpora import load_docstrings, vectorizer

    counter = vectorizer()
    X = counter.fit_transform(load_docstrings().data)
    X = X[np.random.default_rng(0).permutation(X.shape[0])]
    n_held_out = int(HELD_OUT * X.shape[0])
    # Renamed when complete, so that a killed run leaves no half of a corpus.
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
    """Print the topics by size, and how well they predict held-out words."""
    words = folder / "words.txt"
    if words.exists():
        names = np.array(words.read_text(encoding="utf-8").split("\n"))
        for k in np.argsort(-lda.components_.sum(axis=1)):
            top = np.argsort(-lda.topic_word_[k])[:N_TOP_WORDS]
            print(f"topic {k:2}: {' '.join(names[top])}")
    held_out = folder / "held-out.npz"
    if held_out.exists():
        from sklearn_amortlda.metrics import document_completion_perplexity

        X = sparse.load_npz(held_out)
        print(f"held-out perplexity {document_completion_perplexity(lda, X):.0f}")


def peak_memory_mb():
    """Of this process, imports included."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts kilobytes, macOS bytes.
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--n-components", type=int, default=50)
    parser.add_argument("--passes", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
