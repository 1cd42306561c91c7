"""Imports at the start of a process, without looking for garbage meanwhile."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection inside: modules are never garbage, and looking through their many objects takes a fifth of
    the time of a large import. What is there at the end is not looked through later either.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
