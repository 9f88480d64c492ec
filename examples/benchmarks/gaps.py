"""The gaps of inference on test documents, in nats per word.

    python gaps.py FOLDER/20NG FOLDER/AGNews
    python gaps.py FOLDER/AGNews --documents 1000 --topics 50

A row for each corpus: the log-likelihood by the left-to-right estimate, the variational
gap, and the amortization gap of the encoder alone, after some refinements, and of
`score`.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import corpus

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.inspection import inference_gaps

REFINE = 1, 2, 3, 5, 10


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--topics", type=int, default=50)
    options = parser.parse_args()
    steps = " | ".join(f"refine={n}" for n in REFINE)
    print("| corpus | log-likelihood | variational gap | encoder alone | ", end="")
    print(f"{steps} | score |")
    print("|---" * (5 + len(REFINE)) + "|")
    for folder in options.folders:
        data = corpus.load(folder)
        lda = AmortizedLDA(options.topics, random_state=0).fit(data.train)
        X = data.test[: options.documents]
        gaps = inference_gaps(lda, X, refine=REFINE)
        n_words = gaps.n_words.sum()
        row = [gaps.log_likelihood, gaps.variational_gap, gaps.amortization_gap]
        row += [*gaps.refined_gap, gaps.optimum - gaps.score]
        cells = [f"{values.sum() / n_words:.3f}" for values in row]
        print("|", " | ".join([os.path.basename(folder), *cells]), "|", flush=True)


if __name__ == "__main__":
    main()
