"""Whether the entries of a file stand in one row."""

from app.evidence.report import LogFindingKind


class Places:
    """Follows the numbers of the entries: which are skipped, which come late, which come again."""

    def __init__(self) -> None:
        self.expected = 0
        self.missing: list[tuple[int, int]] = []  # half-open ranges
        self.whole = True

    def take(self, seq: int) -> LogFindingKind | None:
        """Note the next entry's number; says `reorder` or `duplicate` where that is what it shows."""
        if seq == self.expected:
            self.expected += 1
            return None
        self.whole = False
        if seq > self.expected:
            self.missing.append((self.expected, seq))
            self.expected = seq + 1
            return None
        for index, (first, end) in enumerate(self.missing):
            if first <= seq < end:
                self.missing[index : index + 1] = [r for r in ((first, seq), (seq + 1, end)) if r[0] < r[1]]
                return "reorder"
        return "duplicate"
