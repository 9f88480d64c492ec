"""Pictures of the examples, as files."""

from pathlib import Path

import matplotlib.pyplot as plt


def save(name: str) -> None:
    """Save all open figures below the folder `pictures`, and print their paths."""
    numbers = plt.get_fignums()
    for number in numbers:
        suffix = f"_{number}" if len(numbers) > 1 else ""
        path = Path("pictures", f"{name}{suffix}.png")
        path.parent.mkdir(exist_ok=True)
        plt.figure(number).savefig(path, dpi=100, bbox_inches="tight")
        print(path)
