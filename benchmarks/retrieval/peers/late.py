"""Vendors' packages, imported when a peer is made: the product's environment has few of them."""

import importlib
from typing import Any

from benchmarks.retrieval.protocol import NotRun


def need(module: str) -> Any:
    """The module; raises NotRun if it is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise NotRun(f"{error.name} is not installed (benchmarks/retrieval/requirements.txt)") from error
