"""The command line: `clearance`, or `python -m app.cli`."""

from app.cli.app import main

__all__ = ["main"]
