"""What verification found, as values and as lines for a person."""

from dataclasses import dataclass, field
from typing import Literal

from app.evidence.merkle import Head
from app.evidence.stamps import StampReport

LogFindingKind = Literal[
    "edit",
    "opened",
    "drop",
    "reorder",
    "duplicate",
    "addition",
    "truncation",
    "rewrite",
    "canonical",
    "format",
    "selection",
    "signature",
    "timestamp",
    "digest",
]
# What a writer did and no later change: worth a look, and no sign of tampering.
REMARKS = frozenset({"canonical"})
MAX_LINES = 50


@dataclass(frozen=True)
class LogFinding:
    """Something wrong: what, at which entry (if it has one), in words for a person."""

    kind: LogFindingKind
    seq: int | None
    message: str


@dataclass
class VerifyReport:
    """What verification found. `ok` with a `held` head means: nothing was changed since that head was kept; with
    `signers`: the entries under `checkpoint` are those that they signed; with `stamps`: when they
    existed at the latest.
    """

    path: str
    held: Head | None
    complete: bool = False
    entries: int = 0
    opened: int = 0
    erased: int = 0
    pruned: int = 0  # entries of which a record says that they were
    head: Head | None = None
    checkpoint: Head | None = None  # the last head of the file that was signed
    signers: tuple[str, ...] = ()  # those who are trusted, by name
    stamps: StampReport | None = None
    sha256: str | None = None  # of the file, where it was compared with a manifest
    without_records: bool = False
    findings: list[LogFinding] = field(default_factory=list)

    def add(self, kind: LogFindingKind, seq: int | None, message: str) -> None:
        self.findings.append(LogFinding(kind, seq, message))

    @property
    def ok(self) -> bool:
        """Nothing was found that a later change would leave behind."""
        return not self._wrong

    @property
    def _wrong(self) -> int:
        return sum(finding.kind not in REMARKS for finding in self.findings)

    @property
    def lines(self) -> list[str]:
        """The report for a person, the verdict first."""
        return [
            f"{self.path}: {'OK' if self.ok else f'{self._wrong} FINDINGS'}{self._remarks()}",
            *(f"  {finding.kind}: {finding.message}" for finding in self._shown),
            *([f"  and {len(self.findings) - MAX_LINES} more"] if len(self.findings) > MAX_LINES else []),
            *([] if self.without_records else [self._counts]),
            *([f"  SHA-256 of the file {self.sha256}"] if self.sha256 else []),
            *([f"  head {self.head}"] if self.head and self.complete else []),
            *self._limits(),
        ]

    @property
    def _shown(self) -> list[LogFinding]:
        """What is wrong comes first, so that no number of remarks hides it."""
        return sorted(self.findings, key=lambda finding: finding.kind in REMARKS)[:MAX_LINES]

    @property
    def _counts(self) -> str:
        pruned = f", {self.pruned} of them pruned" if self.pruned else ""
        return (
            f"  {self.entries} entries{pruned}; {self.opened} opened texts checked, {self.erased} erased or unreadable"
        )

    def _remarks(self) -> str:
        count = len(self.findings) - self._wrong
        return f", {count} of its records were written in no form of ours" if count else ""

    def _limits(self) -> list[str]:
        if self.without_records:
            return [
                "  the file holds no records: nothing but its digest was compared, with a manifest that nobody signed"
            ]
        if not self.complete:
            return ["  a selection, not the whole log: each record was checked, what may be missing was not"]
        if not self.ok:
            return []
        lines = [f"  compared with the head kept earlier, {self.held}"] if self.held else []
        if self.checkpoint and self.signers:
            lines += [f"  the first {self.checkpoint.size} entries are signed by {' and '.join(self.signers)}"]
        lines = lines or [
            "  no earlier head and no key was given: this shows that the file agrees with itself, not that it is the"
            " original"
        ]
        return [*(self.stamps.lines if self.stamps else []), *lines]
