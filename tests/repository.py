"""The repository's root, and a mark for tests that read more than the package."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
needs_repository = pytest.mark.skipif(
    not (ROOT / "README.md").exists(),
    reason="the tests run against an installed package, outside of the repository",
)
