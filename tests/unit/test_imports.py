"""Imports without collection: nothing is looked through meanwhile, and afterwards all is as it was."""

import gc

import pytest

from app.imports import uncollected


@pytest.mark.parametrize("collecting", [True, False])
def test_collection_pauses_and_goes_on_as_before(collecting: bool) -> None:
    was = gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        before = gc.get_freeze_count()
        with pytest.raises(ImportError), uncollected():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() is collecting
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
        (gc.enable if was else gc.disable)()
