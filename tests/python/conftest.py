"""What holds for all tests: property tests have no deadline, and on CI the same examples in every run."""

import gc
import os

from hypothesis import settings

settings.register_profile("default", deadline=None)  # shared machines stall now and then
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_collection_finish() -> None:
    """Ten thousand collected tests stay to the end: the many tests that collect garbage need not walk over them."""
    gc.collect()
    gc.freeze()
