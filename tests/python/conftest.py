"""What holds for all tests: no deadline for properties, on CI the same examples in every run, and the same seed."""

import gc
import os

from hypothesis import settings

import lamina

settings.register_profile("default", deadline=None)  # shared machines stall now and then
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_collection_finish() -> None:
    """Ten thousand collected tests stay to the end: the many tests that collect garbage need not walk over them."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup() -> None:
    """Random numbers do not depend on which tests ran before."""
    lamina.manual_seed(0)
