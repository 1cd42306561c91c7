"""`python -m app.cli`."""

from app.cli.app import main

main()
