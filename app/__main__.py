"""`python -m app`: the API."""

import os

from app.imports import uncollected

# One thread computes for one request. The library would start the others when it is imported, and a process with
# threads cannot be forked into several.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

with uncollected():
    from app.server import serve

if __name__ == "__main__":
    serve()
