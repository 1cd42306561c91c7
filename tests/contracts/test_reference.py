"""docs/reference.md is what the code does."""

from tests.contracts.reference import render
from tests.support.environment import REPOSITORY


def test_reference_is_current() -> None:
    """Every setting, error, route and record stands in the page as the code has it."""
    page = (REPOSITORY / "docs" / "reference.md").read_text("utf-8")
    assert page == render(), "run: python -m tests.contracts.reference > docs/reference.md"


def test_error_tree_in_docstring_is_complete() -> None:
    """The tree drawn in app/errors.py names every error with its status."""
    from app import errors  # noqa: PLC0415  # its docstring is what is tested

    tree = errors.__doc__ or ""
    for name, found in vars(errors).items():
        if isinstance(found, type) and issubclass(found, errors.AppError) and found is not errors.AppError:
            assert name in tree
