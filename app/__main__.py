"""`python -m app`: the API."""

from app.imports import uncollected

with uncollected():
    from app.server import serve

if __name__ == "__main__":
    serve()
