"""The roots of a log at the sizes that somebody asks for, while its entries are read."""

from app.evidence.merkle import Frontier, decode


class Roots:
    """Over what the lines claim and over what the records give: an edit of either shows which of the two is true."""

    def __init__(self) -> None:
        self._computed = Frontier()
        self._claimed = self._computed  # the same until a claim differs
        self._wanted: dict[int, tuple[bytes, bytes] | None] = {}

    def want(self, size: int) -> None:
        """Keep the roots of this size, if it is not passed yet."""
        self._wanted.setdefault(size, self.now() if size == self._computed.size else None)

    def append(self, claimed: str, computed: bytes) -> None:
        """Add the next entry. A claim that is no hash was named as an edit already."""
        try:
            leaf = decode(claimed)
        except ValueError:
            leaf = computed
        if leaf != computed and self._claimed is self._computed:
            self._claimed = Frontier(self._computed.size, self._computed.nodes)
        if self._claimed is not self._computed:
            self._claimed.append(leaf)
        self._computed.append(computed)
        self._keep()

    def append_same(self, leaf: bytes) -> None:
        """Add the next entry, whose record gives what its line claims."""
        if self._claimed is not self._computed:
            self._claimed.append(leaf)
        self._computed.append(leaf)
        self._keep()

    def _keep(self) -> None:
        if self._computed.size in self._wanted:
            self._wanted[self._computed.size] = self.now()

    def now(self) -> tuple[bytes, bytes]:
        """Both roots over all entries so far."""
        return self._claimed.root(), self._computed.root()

    def contradict(self, size: int, root: bytes) -> bool:
        """Whether the roots of this size were reached, and neither is this one."""
        found = self._wanted.get(size)
        return found is not None and root not in found
