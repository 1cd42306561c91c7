"""What another implementation wrote: a checkpoint and proofs by golang.org/x/mod/sumdb (note, tlog), version 0.19.

Eleven records "record 0" to "record 10", signed by a key that was drawn for this; record 6 proved under all of them,
and the tree of five records shown to be the beginning of the tree of eleven.
"""

from app.evidence.checkpoint import Checkpoint
from app.evidence.consistency import consistency_ranges, is_consistent
from app.evidence.inclusion import InclusionProof, path_ranges
from app.evidence.merkle import Head, decode, leaf_hash, merkle_root
from app.evidence.signed_note import VerifierKey

KEY = "go.example/log+8ca4523a+ARwaJ35ZvlzpsT0vunwkVezA6V5IKoSj4dRsdq180gZF"
NOTE = (
    "go.example/log\n11\nETP1R3ltCJEP4eUqkg1lSsAWymCcrPEejLFDhVB5mig=\n\n"
    "— go.example/log jKRSOrh2ZGjax57e1IIG8DvpvDLXGk5brKcnkeF92CcIT7iNwXzWw6ljxSs2lAciGpB3RuYOnRpLjDoiVlw7qJXGugg=\n"
)
OF_RECORD = [
    "RjXudHR7gs33amrwSpQUd7jtTDy87rnDqhg5DocnZYQ=",
    "0hDTO2hjmXA3kPUaINAqwbmrFLkQW1pDSk5J9JNxOGM=",
    "VQcmZi2PEzD1dmUTPcWs3MBK3Q2V32plYgXiT33KphE=",
    "CxgbYDlIUxJDWOGQC2JdMyjnhcxrJA6mzet0wtSFJG8=",
]
OF_TREE = [
    "4/xhsimX2iSB/tWu1E/YKdvUyNH5pt75w0DiEhlhg+k=",
    "zjf0x9/0npxSK7Iyw5hqobQcBIMdYorzPrze6Az9Zd0=",
    "F40BxqSJpiYQXv/EO/V/rL0sAh5mHWjJrtMRUZJveVg=",
    *OF_RECORD[2:],
]
LEAVES = [leaf_hash(f"record {number}") for number in range(11)]


def test_their_checkpoint_is_read() -> None:
    key = VerifierKey.parse(KEY)
    checkpoint = Checkpoint.parse(NOTE)
    assert checkpoint.log_signers([key]) == [key]
    assert checkpoint.head == Head(11, merkle_root(LEAVES))


def test_their_proofs_are_ours() -> None:
    head = Checkpoint.parse(NOTE).head
    of_record, of_tree = ([decode(each) for each in proof] for proof in (OF_RECORD, OF_TREE))
    assert of_record == [merkle_root(LEAVES[first:end]) for first, end in path_ranges(6, 11)]
    assert InclusionProof(6, head, tuple(of_record)).holds(LEAVES[6])
    assert of_tree == [merkle_root(LEAVES[first:end]) for first, end in consistency_ranges(5, 11)]
    assert is_consistent(Head(5, merkle_root(LEAVES[:5])), head, of_tree)
