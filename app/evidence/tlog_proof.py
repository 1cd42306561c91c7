"""Proofs as files (c2sp.org/tlog-proof): the place of one entry, the path to a checkpoint, and the checkpoint."""

import re

from app.evidence.checkpoint import Checkpoint
from app.evidence.inclusion import InclusionProof
from app.evidence.merkle import decode, encode
from app.evidence.signed_note import BadNote

FIRST_LINE = "c2sp.org/tlog-proof@v1"
INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
MAX_PATH = 63


def write_proof(proof: InclusionProof, note: str) -> str:
    """The proof under this checkpoint, which must be of the proof's own head."""
    path = "".join(f"{encode(each)}\n" for each in proof.path)
    return f"{FIRST_LINE}\nindex {proof.seq}\n{path}\n{note}"


def read_proof(text: str) -> tuple[InclusionProof, Checkpoint]:
    """The proof, and the checkpoint under which it is, whose signatures are not checked yet. Raises BadNote."""
    head, _, note = text.partition("\n\n")
    first, *lines = head.split("\n")
    if lines and lines[0].startswith("extra "):
        del lines[0]  # nobody vouches for it
    index = INDEX.fullmatch(lines[0]) if lines else None
    if first != FIRST_LINE or index is None or len(lines) > 1 + MAX_PATH:
        raise BadNote(f"a proof begins with {FIRST_LINE} and the index of an entry")
    checkpoint = Checkpoint.parse(note)
    try:
        path = tuple(decode(line) for line in lines[1:])
    except ValueError as error:
        raise BadNote("a hash of the proof is not base64") from error
    return InclusionProof(int(index[1]), checkpoint.head, path), checkpoint
