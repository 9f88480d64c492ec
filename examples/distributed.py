"""Train one model in several processes; each process reads some shards of the corpus.

    torchrun --standalone --nproc_per_node=2 distributed.py FOLDER

FOLDER is a folder as in stream.py: it contains the corpus as ``shard-*.npz``. If FOLDER
does not exist, it is created from the docstrings of the installed scientific libraries.
All machines must be able to read it. For 4 machines, run this command on each of them,
where HOST is one of the 4:

    torchrun --nnodes=4 --nproc_per_node=1 --rdzv-backend=c10d \\
        --rdzv-endpoint=HOST:29400 distributed.py FOLDER

With GPUs, start one process per GPU (--nproc_per_node=8 for 8 GPUs).
"""

import argparse
import os
from pathlib import Path

import torch
import torch.distributed as dist
from scipy import sparse
from stream import find_shards, report, save, write_docstrings

from sklearn_amortlda import AmortizedLDA


def main():
    args = parse_arguments()
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if on_gpu else "gloo")
    rank = dist.get_rank()
    if rank == 0 and not args.folder.exists():
        write_docstrings(args.folder)
    dist.barrier()

    X = own_documents(args.folder)
    print(f"rank {rank}: {X.shape[0]:,} documents", flush=True)
    lda = AmortizedLDA(
        args.n_components,
        max_iter=args.max_iter,
        random_state=args.seed,
        distributed=True,
        verbose=int(rank == 0),
    ).fit(X)
    # All ranks have the same model.
    if rank == 0:
        save(lda, args.folder / "distributed.joblib")
        report(lda, args.folder)
    dist.destroy_process_group()


def own_documents(folder):
    """The shards of this rank as one matrix: every n-th shard of n ranks."""
    rank, n_ranks = dist.get_rank(), dist.get_world_size()
    own = find_shards(folder)[rank::n_ranks]
    if not own:
        raise SystemExit(
            f"{folder} contains fewer shards than there are ranks, {n_ranks}: start "
            "fewer processes."
        )
    return sparse.vstack([sparse.load_npz(shard) for shard in own], format="csr")


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of the corpus")
    parser.add_argument(
        "--n-components", type=int, default=50, help="number of topics (default: 50)"
    )
    parser.add_argument(
        "--max-iter", type=int, default=20, help="number of epochs (default: 20)"
    )
    parser.add_argument("--seed", type=int, default=0, help="random state (default: 0)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
