"""The corpora and the vectorizer of the examples.

Each loader returns texts, their names and their labels. `vectorizer` counts words.
"""

import ast
import gc
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_20newsgroups
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils import Bunch
from tqdm import tqdm

# Libraries that are installed with this package (torch requires networkx and sympy),
# and their subpackages about one subject.
SUBPACKAGES = {
    "joblib": ".",
    "networkx": "algorithms classes drawing generators readwrite",
    "numpy": "lib linalg ma polynomial",
    "pyro": "contrib distributions infer ops poutine",
    "scipy": "cluster fft integrate interpolate io linalg ndimage optimize signal"
    " sparse spatial special stats",
    "sklearn": "cluster covariance datasets decomposition ensemble feature_extraction"
    " feature_selection gaussian_process linear_model metrics model_selection"
    " neighbors preprocessing",
    "sympy": "assumptions combinatorics crypto functions geometry integrals logic"
    " matrices ntheory physics polys series solvers stats tensor vector",
    "torch": "autograd distributions nn optim",
}
SKIPPED_FOLDERS = {"benchmarks", "externals", "test", "testing", "tests"}
MIN_WORDS = 40
MIN_DOCUMENTS_PER_LABEL = 30

NOT_PROSE = re.compile(
    r"""
      ^[ ]*>>>.*(?:\n.*\S.*)*       # a doctest and its output
    | ^[ ]*\.\.[ ]\[.*(?:\n.*\S.*)*  # a reference to the literature
    | ^[ ]*\.\.[ ][\w-]+::          # the name of a directive
    | ^.*\n[ ]*[-=~^*]{3,}[ ]*$     # an underlined heading
    | ^[ ]*\w+:+[ ]*$               # a heading with a colon, as in "Args:"
    | https?://\S+
    | :\w+:(?=`)                    # the role of a link, as in ":func:"
    | \\\w+                         # a LaTeX command
    """,
    re.MULTILINE | re.VERBOSE,
)


def load_docstrings(progress=False):
    """The docstrings of the installed scientific libraries, labelled by subpackage.

    The sources are parsed and not imported, so no code of the libraries runs.

    Parameters
    ----------
    progress : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    Bunch
        ``data`` (list of texts), ``names`` (qualified name of each text's object),
        ``target`` (integer labels), ``target_names`` (the labels' subpackages).
    """
    # Parsing triggers garbage collections, which would traverse all objects of torch.
    gc.freeze()
    documents = {}
    for library, subpackages in tqdm(SUBPACKAGES.items(), disable=not progress):
        for subpackage in subpackages.split():
            label = f"{library}.{subpackage}".rstrip(".")
            for name, docstring in _docstrings_in(library, subpackage):
                text = NOT_PROSE.sub(" ", docstring)
                # Inherited methods and aliases repeat a text; the first one is kept.
                if len(text.split()) >= MIN_WORDS:
                    documents.setdefault(text, (name, label))
    gc.unfreeze()
    return _bunch_of_common_labels(documents)


def load_20newsgroups(progress=False):
    """The messages of 20 newsgroups, which scikit-learn downloads at the first use.

    Parameters
    ----------
    progress : Ignored
        Present so that all loaders have the same parameters.

    Returns
    -------
    Bunch
        As from `load_docstrings`; ``names`` holds newsgroup and message number.
    """
    try:
        news = fetch_20newsgroups(subset="all", remove=("headers", "footers", "quotes"))
    except OSError as error:
        raise OSError(
            "The 20 newsgroups could not be downloaded. Connect to the network, or use "
            "the docstrings, which need no download."
        ) from error
    names = ["/".join(Path(filename).parts[-2:]) for filename in news.filenames]
    return Bunch(
        data=news.data, names=names, target=news.target, target_names=news.target_names
    )


def vectorizer():
    """A CountVectorizer of words with three letters or more.

    A word must occur in at least 5 documents and in at most 20 % of the documents.
    """
    return CountVectorizer(
        token_pattern=r"[^\W\d_]{3,}",
        stop_words="english",
        min_df=5,
        max_df=0.2,
        max_features=5000,
    )


def _docstrings_in(library, subpackage):
    """Yield the name and docstring of every public object below a folder, in order."""
    root = Path(find_spec(library).origin).parent
    for path in sorted((root / subpackage).rglob("*.py")):
        module = path.relative_to(root.parent).with_suffix("").parts
        if SKIPPED_FOLDERS.isdisjoint(module):
            # Objects of a private module are exported by its public package.
            public = [part for part in module if not part.startswith("_")]
            yield from _docstrings_of(ast.parse(path.read_bytes()), ".".join(public))


def _docstrings_of(node, name):
    """Yield name and docstring of a module or class, and of its public members."""
    docstring = ast.get_docstring(node)
    if docstring:
        yield name, docstring
    if isinstance(node, ast.Module | ast.ClassDef):
        for member in node.body:
            if (
                isinstance(member, ast.ClassDef | ast.FunctionDef)
                and member.name[0] != "_"
            ):
                yield from _docstrings_of(member, f"{name}.{member.name}")


def _bunch_of_common_labels(documents):
    """The documents of all labels with `MIN_DOCUMENTS_PER_LABEL` documents or more."""
    names, labels = np.array(list(documents.values())).T
    _, label_index, counts = np.unique(labels, return_inverse=True, return_counts=True)
    common = (counts >= MIN_DOCUMENTS_PER_LABEL)[label_index]
    target_names, target = np.unique(labels[common], return_inverse=True)
    return Bunch(
        data=[text for text, kept in zip(documents, common, strict=True) if kept],
        names=names[common].tolist(),
        target=target,
        target_names=target_names.tolist(),
    )
