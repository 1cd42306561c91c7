"""The vector of a passage in its document: what stands around it, and the document as a whole, give it their colour.

A passage seldom says what it is about; the page does. A vector moved a little towards its neighbours and its document
is found by questions that name the subject, at no cost when somebody asks. Measured on two handbooks:
docs/retrieval.md. It depends on passages of the same document alone, which are seen together or not at all.
"""

import numpy as np
from numpy.typing import NDArray

# How much the passage before, the one after, and the whole document count, beside 1 for the passage itself. From .25
# to .5 results stay the same within their noise.
NEIGHBOUR_WEIGHT = 0.3
DOCUMENT_WEIGHT = 0.3


def contextualize(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vectors of shape (n, dimensions) of all passages of one document, in their order, as they are searched for.

    Summed in double precision, in the order of the passages: the same bytes for the same document.
    """
    if len(vectors) < 2:
        return vectors
    own = vectors.astype(np.float64)
    moved = own + DOCUMENT_WEIGHT * _unit(own.sum(axis=0, keepdims=True))
    moved[1:] += NEIGHBOUR_WEIGHT * own[:-1]
    moved[:-1] += NEIGHBOUR_WEIGHT * own[1:]
    return _unit(moved).astype(np.float32)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row with length 1; a row of nothing stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float64] = vectors / np.where(lengths > 0, lengths, 1.0)
    return unit
