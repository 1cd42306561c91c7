"""The roots of a log at the sizes that somebody asks for, while its entries are read."""

from app.evidence.merkle import Frontier, decode


class Roots:
    """Over what the lines claim and over what the records give: an edit of either shows which of the two is true."""

    def __init__(self) -> None:
        self._claimed, self._computed = Frontier(), Frontier()
        self._wanted: dict[int, tuple[bytes, bytes] | None] = {}

    def want(self, size: int) -> None:
        """Keep the roots of this size, if it is not passed yet."""
        self._wanted.setdefault(size, self.now() if size == self._computed.size else None)

    def append(self, claimed: str, computed: bytes) -> None:
        """Add the next entry. A claim that is no hash was named as an edit already."""
        try:
            self._claimed.append(decode(claimed))
        except ValueError:
            self._claimed.append(computed)
        self._computed.append(computed)
        if self._computed.size in self._wanted:
            self._wanted[self._computed.size] = self.now()

    def now(self) -> tuple[bytes, bytes]:
        """Both roots over all entries so far."""
        return self._claimed.root(), self._computed.root()

    def contradict(self, size: int, root: bytes) -> bool:
        """Whether the roots of this size were reached, and neither is this one."""
        found = self._wanted.get(size)
        return found is not None and root not in found
