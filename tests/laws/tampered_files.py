"""Every kind of tampering with a file that proves something, at random places, with what is to be found of it."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from app.evidence.checkpoint import Checkpoint
from app.evidence.merkle import Head, decode, encode
from app.evidence.receipt import ReceiptRecord, write_receipt
from app.evidence.signed_note import NoteSignature, SigningKey, VerifierKey
from tests.support.exported_log import entry, head_of, key_change, pruned, rehash, write
from tests.support.log_keys import LOG_KEY, NEXT_KEY, STRANGER_KEY, WITNESS_KEY
from tests.support.receipts import ANSWERED, records, signed_records
from tests.support.tampered_logs import CORPUS, EXTRA, REWRITES, Entries, Tampering, bare, edited, put

MIN_ENTRIES, MAX_ENTRIES = 2, 40
KEY, WITNESS = LOG_KEY.verifier, WITNESS_KEY.verifier


@dataclass(frozen=True)
class Tampered:
    """A file, what it is verified with, and the kinds of what is found then."""

    path: Path
    expected: frozenset[str]
    head: Head | None = None
    keys: tuple[VerifierKey, ...] = ()


@dataclass(frozen=True)
class World:
    """What a trial draws from: a folder, chance, and entries of which a log takes some."""

    folder: Path
    chance: Random
    entries: Entries

    def log(self) -> Entries:
        return self.entries[: self.chance.randint(MIN_ENTRIES, MAX_ENTRIES)]

    def places(self, log: Entries) -> tuple[int, int]:
        """Two entries, the first before the second."""
        first, second = sorted(self.chance.sample(range(len(log)), 2))
        return first, second

    def written(self, log: Entries, *expected: str, **options: Any) -> Tampered:
        """An export that is verified with the log's key."""
        return Tampered(write(self.folder / "file", log, **options), frozenset(expected), keys=(KEY,))


Kind: TypeAlias = Callable[[World], Tampered]


def entries() -> Entries:
    return [entry(n, f"question {n}") for n in range(MAX_ENTRIES)]


def note(log: Entries, *keys: SigningKey) -> str:
    return str(Checkpoint.sign(head_of(log), keys or [LOG_KEY]))


def log_tampering(tampering: Tampering, *, new_head: bool) -> Kind:
    """A log of the corpus, whose file keeps its head or gets the one that fits."""

    def make(world: World) -> Tampered:
        log = world.log()
        places, head = world.places(log), head_of(log)
        path = write(world.folder / "file", tampering.do(log, *places), head=None if new_head else head)
        return Tampered(path, frozenset(kind for kind, _ in tampering.expected(*places, len(log))), head)

    return make


def text_tampering(change: Callable[[int], tuple[str, str]]) -> Kind:
    def make(world: World) -> Tampered:
        log = world.log()
        path = write(world.folder / "file", log)
        place = world.chance.randrange(len(log))
        old, new = change(place)
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        # A line that is not read is missing, too.
        lost = "drop" if place < len(log) - 1 else "truncation"
        missing = {lost} if old.startswith('"text"') else {"truncation"} if old == '"head": {' else set[str]()
        return Tampered(path, frozenset({"format"} | missing), head_of(log))

    return make


def changed(world: World, log: Entries) -> Entries:
    """With one record changed, and its hash."""
    place = world.chance.randrange(len(log))
    return put(log, place, rehash(edited(log[place])))


def flipped(world: World, data: bytes) -> bytes:
    """With one bit changed."""
    place = world.chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << world.chance.randrange(8))]) + data[place + 1 :]


def cut_with_its_signed_head(world: World) -> Tampered:
    log = world.log()
    return world.written(log[: world.chance.randrange(len(log))], "truncation", note=note(log))


def changed_under_a_signed_head(world: World) -> Tampered:
    log = world.log()
    return world.written(changed(world, log), "rewrite", note=note(log))


def unsigned(world: World) -> Tampered:
    return world.written(world.log(), "signature")


def signed_by_a_stranger(world: World) -> Tampered:
    log = changed(world, world.log())
    return world.written(log, "signature", note=note(log, STRANGER_KEY))


def with_a_forged_signature(world: World) -> Tampered:
    log = world.log()
    signed = Checkpoint.sign(head_of(log), [LOG_KEY]).note
    [made] = signed.signatures
    forged = NoteSignature(made.name, made.key_id, flipped(world, made.signature))
    return world.written(log, "signature", note=str(replace(signed, signatures=(forged,))))


def with_another_head_over_the_signature(world: World) -> Tampered:
    log = world.log()
    other = changed(world, log)
    text = note(log).replace(encode(head_of(log).root), encode(head_of(other).root))
    return world.written(other, "signature", note=text)


def handed_over_by_nobody(world: World) -> Tampered:
    log = world.log()
    place = world.chance.randrange(len(log))
    taken = [*log[:place], key_change(place, NEXT_KEY, LOG_KEY, world.chance.choice([NEXT_KEY, STRANGER_KEY]))]
    taken += [{**e, "seq": e["seq"] + 1} for e in log[place:]]
    return world.written(taken, "signature", note=note(taken, NEXT_KEY))


def unseen_by_the_witness(world: World) -> Tampered:
    log = world.log()
    return replace(world.written(log, "signature", note=note(log)), keys=(KEY, WITNESS))


def seen_otherwise_by_the_witness(world: World) -> Tampered:
    log = world.log()
    other, seen = changed(world, log), Checkpoint.sign(head_of(log), [LOG_KEY]).note.text
    signed = note(other) + str(WITNESS_KEY.sign(seen, moment=world.chance.randrange(2**31)))
    return replace(world.written(other, "signature", note=signed), keys=(KEY, WITNESS))


def stamp(log: Entries) -> dict[str, str]:
    """Of a head of this log; the token is for others to judge."""
    return {"checkpoint": note(log), "token": encode(bytes(9))}


def changed_under_a_stamped_head(world: World) -> Tampered:
    """By whoever has the key: a stamp of the old log is left."""
    log = world.log()
    place = world.chance.randrange(len(log))
    other = put(log, place, rehash(edited(log[place])))
    old, new = stamp(log[: world.chance.randint(place + 1, len(log))]), stamp(other)
    return world.written(other, "rewrite", note=note(other), stamps=world.chance.sample([old, new], 2))


def cut_before_a_stamped_head(world: World) -> Tampered:
    log = world.log()
    kept = log[: world.chance.randrange(len(log))]
    return world.written(kept, "truncation", note=note(kept), stamps=[stamp(log)])


def pruned_log(world: World, **options: Any) -> tuple[Entries, set[int]]:
    """A log of which some records were removed, as a record further on says; and their numbers."""
    log = world.log()
    gone = set(world.chance.sample(range(len(log)), world.chance.randint(1, len(log))))
    by = pruned(len(log), *((n, n) for n in sorted(gone)), **options)
    return [bare(e) if e["seq"] in gone else e for e in log] + [by], gone


def pruned_more_than_was_said(world: World) -> Tampered:
    log, gone = pruned_log(world)
    left = [e["seq"] for e in log[:-1] if e["seq"] not in gone]
    if not left:
        return take_away_what_says_so(world)
    place = world.chance.choice(left)
    return world.written(put(log, place, bare(log[place])), "drop", note=note(log))


def take_away_what_says_so(world: World) -> Tampered:
    log, _ = pruned_log(world)
    return world.written(put(log, len(log) - 1, bare(log[-1])), "drop", note=note(log))


def pruned_by_another_part_of_ours(world: World) -> Tampered:
    log, _ = pruned_log(world, writer=world.chance.choice(["clearance_app", "clearance_ingest", "postgres"]))
    return world.written(log, "drop", note=note(log))


def pruned_before_it_was_there(world: World) -> Tampered:
    """A record speaks of later ones, so that these could go whenever somebody likes."""
    log = [{**e, "seq": e["seq"] + 1} for e in world.log()]
    log = [pruned(0, (1, len(log))), *log]
    place = world.chance.randrange(1, len(log))
    return world.written(put(log, place, bare(log[place])), "drop", note=note(log))


def changed_what_is_left(world: World) -> Tampered:
    log, gone = pruned_log(world)
    place = world.chance.choice(sorted(gone))
    hashed = encode(flipped(world, decode(log[place]["leaf_hash"])))
    head = head_of(log)
    return replace(world.written(put(log, place, {**log[place], "leaf_hash": hashed}), "rewrite"), head=head, keys=())


Receipt: TypeAlias = list[ReceiptRecord]


def receipt_tampering(change: Callable[[World, Receipt], Receipt], expected: str, key: VerifierKey = KEY) -> Kind:
    """The two records of an answer, somewhere in a log, of which something is changed."""

    def make(world: World) -> Tampered:
        bodies = [e["record"] for e in world.log()]
        opened, closed = sorted(world.chance.sample(range(len(bodies) + 2), 2))
        bodies.insert(opened, ANSWERED[0][0])
        bodies.insert(closed, ANSWERED[1][0])
        path = world.folder / "file"
        path.write_text(write_receipt(change(world, signed_records(bodies, (opened, closed)))))
        return Tampered(path, frozenset({expected}), keys=(key,))

    return make


def one(world: World, made: Receipt, change: Callable[[ReceiptRecord], ReceiptRecord]) -> Receipt:
    """With one of its two records changed."""
    place = world.chance.randrange(len(made))
    return [change(each) if n == place else each for n, each in enumerate(made)]


def edited_record(world: World, made: Receipt) -> Receipt:
    return one(world, made, lambda r: replace(r, record=r.record.replace("ck_ada", "ck_eve")))


def moved_proof(world: World, made: Receipt) -> Receipt:
    first, second = made
    return one(world, made, lambda r: replace(r, proof=(second if r is first else first).proof))


def other_path(world: World, made: Receipt) -> Receipt:
    """With a bit of one of the hashes of a proof changed."""

    def change(record: ReceiptRecord) -> ReceiptRecord:
        proof, blank, note = record.proof.partition("\n\n")
        begin, index, *path = proof.split("\n")
        place = world.chance.randrange(len(path))
        path[place] = encode(flipped(world, decode(path[place])))
        return replace(record, proof="\n".join([begin, index, *path]) + blank + note)

    return one(world, made, change)


def other_words(world: World, made: Receipt) -> Receipt:
    """Of the question: the answer's salt is held to its text, which no receipt has."""
    words = {"question": {**made[0].opened["question"], world.chance.choice(["text", "salt"]): encode(bytes(32))}}
    return [replace(made[0], opened=words), made[1]]


def other_answer(world: World, made: Receipt) -> Receipt:
    """The end of another answer, with a proof of its own."""
    bodies = [body for body, _ in OTHER]
    return [made[0], signed_records(bodies, (1,))[0]]


OTHER = records(uuid.UUID(int=71))
KINDS: dict[str, Kind] = {
    **{tampering.name: log_tampering(tampering, new_head=False) for tampering in CORPUS},
    **{f"{tampering.name}, with a new head": log_tampering(tampering, new_head=True) for tampering in REWRITES},
    **{f"write into {where}": text_tampering(change) for where, change in EXTRA.items()},
    **{
        made.__name__.replace("_", " "): made
        for made in (
            cut_with_its_signed_head, changed_under_a_signed_head, unsigned, signed_by_a_stranger,
            with_a_forged_signature, with_another_head_over_the_signature, handed_over_by_nobody,
            unseen_by_the_witness, seen_otherwise_by_the_witness, changed_under_a_stamped_head,
            cut_before_a_stamped_head, pruned_more_than_was_said, take_away_what_says_so,
            pruned_by_another_part_of_ours, pruned_before_it_was_there, changed_what_is_left,
        )
    },
    "receipt: edit a record": receipt_tampering(edited_record, "edit"),
    "receipt: move a proof": receipt_tampering(moved_proof, "edit"),
    "receipt: another path": receipt_tampering(other_path, "edit"),
    "receipt: other words": receipt_tampering(other_words, "opened"),
    "receipt: the end of another answer": receipt_tampering(other_answer, "format"),
    "receipt: without its opening": receipt_tampering(lambda _, made: made[1:], "format"),
    "receipt: by another key": receipt_tampering(lambda _, made: made, "signature", STRANGER_KEY.verifier),
}  # fmt: skip


def untouched(world: World) -> Iterator[Tampered]:
    """Files of every form with which nothing is wrong."""
    log = world.log()
    whole = world.written(log, note=note(log), stamps=[stamp(log[: world.chance.randrange(len(log))]), stamp(log)])
    yield replace(whole, head=head_of(log[: world.chance.randint(0, len(log))]))
    log, _ = pruned_log(world)
    yield world.written(log, note=note(log))
    yield receipt_tampering(lambda _, made: made, "")(world)
