"""All peers by the name that the command line knows."""

from benchmarks.search.peers.base import Peer
from benchmarks.search.peers.langchain import LangChain
from benchmarks.search.peers.postgres import AclArrays, HnswRelaxed, HnswStrict, HnswUnfiltered, PgExact, SelectOne
from benchmarks.search.peers.product import Product
from benchmarks.search.peers.vendors import Chroma, FaissHnsw, FaissIvf, Lance, NumpyExact

# The rulers that every millisecond is divided by.
FLOOR, YARDSTICK = RULERS = ("one", "hnsw")
PEERS: dict[str, type[Peer]] = {
    FLOOR: SelectOne,
    YARDSTICK: HnswUnfiltered,
    "product": Product,
    "exact": PgExact,
    "relaxed": HnswRelaxed,
    "strict": HnswStrict,
    "acl": AclArrays,
    "langchain": LangChain,
    "numpy": NumpyExact,
    "faiss-hnsw": FaissHnsw,
    "faiss-ivf": FaissIvf,
    "lance": Lance,
    "chroma": Chroma,
}
