"""Keeps what graphql-core drops from disturbing other tests."""

import gc
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def _collected() -> Iterator[None]:
    """Let coroutines that were never awaited be found here, not at any time: see DROPS_COROUTINES."""
    gc.collect()
    gc.disable()
    yield
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        gc.collect()
    gc.enable()
