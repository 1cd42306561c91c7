"""All peers by the name that the command line knows."""

from collections.abc import Callable

from benchmarks.retrieval.peers.chroma import Chroma
from benchmarks.retrieval.peers.faiss_selector import FaissHnsw, FaissIvf
from benchmarks.retrieval.peers.lance import LanceFlat, LanceIvf
from benchmarks.retrieval.peers.langchain import LangChainPgVector
from benchmarks.retrieval.peers.lists import PrototypeLists, SegmentLists
from benchmarks.retrieval.peers.numpy_exact import NumpyExact
from benchmarks.retrieval.peers.pg_cells import PgCells
from benchmarks.retrieval.peers.pg_exact import PgExact
from benchmarks.retrieval.peers.pg_hnsw import AclArrays, HnswRelaxed, HnswStrict, HnswUnfiltered, SelectOne
from benchmarks.retrieval.peers.product import Product
from benchmarks.retrieval.protocol import Place, Retriever

# The rulers that every millisecond is divided by.
YARDSTICK = "hnsw"
FLOOR = "one"

PEERS: dict[str, Callable[[Place], Retriever]] = {
    FLOOR: SelectOne,
    YARDSTICK: HnswUnfiltered,
    "product": Product,
    "lists": PrototypeLists,
    "segment": SegmentLists,
    "exact": PgExact,
    "cells": PgCells,
    "relaxed": HnswRelaxed,
    "strict": HnswStrict,
    "acl": AclArrays,
    "langchain": LangChainPgVector,
    "numpy": NumpyExact,
    "faiss-hnsw": FaissHnsw,
    "faiss-ivf": FaissIvf,
    "lance": LanceFlat,
    "lance-ivf": LanceIvf,
    "chroma": Chroma,
}
