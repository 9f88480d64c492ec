"""Time a fit and `transform` on a GPU and on one thread of the CPU.

    python devices.py FOLDER
    python devices.py FOLDER --topics 50 --devices cuda

Prints wall seconds of a default fit and of `transform` of the test documents, the
completion perplexity of the test documents, and the coherence (NPMI) of the top 10
words. One seed. The first fit on a device, which loads the device's libraries, is
printed by itself.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import corpus
import torch
from jobs import seconds

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_perplexity, topic_coherence


def measure(data, n_topics, device):
    lda = AmortizedLDA(n_topics, device=device, random_state=0)
    fit = seconds(lambda: lda.fit(data.train))
    # The first call moves the encoder to the device.
    lda.transform(data.test)
    transform = seconds(lambda: lda.transform(data.test))
    perplexity = document_completion_perplexity(lda, data.test, random_state=0)
    return fit, transform, perplexity, topic_coherence(lda.topic_word_, data.train)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder")
    parser.add_argument("--topics", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--devices", nargs="+", default=["cuda", "cpu"])
    options = parser.parse_args()
    data = corpus.load(options.folder)
    if "cuda" in options.devices:
        print(torch.cuda.get_device_name())
    for device in options.devices:
        lda = AmortizedLDA(5, device=device, random_state=0)
        start = seconds(lambda lda=lda: lda.fit(data.train[:500]))
        print(f"{device}: first fit, of 500 documents: {start:.1f} s", flush=True)
    print("topics  device  fit, s  transform, s  perplexity   NPMI")
    for n_topics in options.topics:
        for device in options.devices:
            fit, transform, perplexity, npmi = measure(data, n_topics, device)
            print(
                f"{n_topics:6d}  {device:6s}  {fit:6.2f}  {transform:12.3f}"
                f"  {perplexity:10.1f}  {npmi:5.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
