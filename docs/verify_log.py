"""Checks an export or a receipt of Clearance's audit log, for whoever would rather not trust our own verifier.

    python verify_log.py FILE [--key KEY] [--key KEY-OF-A-WITNESS] [--head SIZE:ROOT]

Python 3.11 and nothing else. A finding begins with what docs/audit.md calls it. Exit status 1 with any.
"""

import argparse
import base64
import functools
import hashlib
import hmac
import json
import pathlib
import sys

P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def point(data):  # of the curve of Ed25519, RFC 8032 section 5.1.3
    y, sign = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        raise ValueError("no point of the curve")
    return (x if x & 1 == sign else P - x, y)


def add(a, b):
    t = D * a[0] * b[0] * a[1] * b[1] % P
    return ((a[0] * b[1] + a[1] * b[0]) * pow(1 + t, -1, P) % P, (a[1] * b[1] + a[0] * b[0]) * pow(1 - t, -1, P) % P)


def times(n, a):
    total = (0, 1)
    while n:
        total, a, n = add(total, a) if n & 1 else total, add(a, a), n >> 1
    return total


def made_by(public, signature, message):
    s, base = int.from_bytes(signature[32:], "little"), point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    return s < ORDER and times(s, base) == add(point(signature[:32]), times(h, point(public)))


def b64(text):
    return base64.b64decode(text, validate=True)


def key_of(text):  # its name, its id of four bytes, whether it is a witness's, its 32 bytes
    name, _, data = text.strip().split("+", 2)
    return name, hashlib.sha256(name.encode() + b"\n" + b64(data)).digest()[:4], b64(data)[0] == 4, b64(data)[1:]


def checked(note, keys):  # size and root of a checkpoint that the log signed, and a witness if you trust any
    text, _, lines = note.rpartition("\n\n")
    (origin, size, top), found = (text + "\n").split("\n")[:3], set()
    for line in lines.splitlines():
        _, name, data = line.split(" ")
        for key_name, identity, witness, public in keys:
            if (key_name, identity) == (name, b64(data)[:4]) and (witness or name == origin):
                stamp = f"cosignature/v1\ntime {int.from_bytes(b64(data)[4:12])}\n" if witness else ""
                if not made_by(public, b64(data)[12 if witness else 4 :], f"{stamp}{text}\n".encode()):
                    raise ValueError(f"the signature of {name} is forged")
                found.add(witness)
    if keys and not {False, *(key[2] for key in keys)} <= found:
        raise ValueError("a signature that you trust is missing")
    return int(size), b64(top)


def leaf(body):
    return hashlib.sha256(b"\0" + body.encode()).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def wrong_words(record, opened, salts=("salt",)):  # fields whose opened words are not those that were recorded
    for name, words in opened.items():
        keeps = sealed.get("keeps") if isinstance(sealed := record.get(name), dict) else None
        if keeps == "text" and set(words) == {"text", "salt"}:
            fits = hmac.digest(b64(words["salt"]), words["text"].encode(), "sha256") == b64(sealed["commitment"])
        else:
            fits = keeps in salts if set(words) == {"salt"} else words in ({"erased": True}, {"unreadable": True})
        if not (keeps and fits):
            yield f"opened: {name} is not what was recorded"


def receipt(records, keys):
    read = [json.loads(each["record"]) for each in records]
    if len({record["trail"] for record in read}) != 1 or read[0]["kind"] != "answer.opened":
        yield "format: its records are not those of one answer, from its opening on"
    for record, each in zip(read, records, strict=True):
        head, _, note = each["proof"].partition("\n\n")
        index, *path = [line for line in head.split("\n")[1:] if not line.startswith("extra ")]
        size, top = checked(note, keys)
        place, last, hashed = int(index.split(" ")[1]), size - 1, leaf(each["record"])
        for beside in map(b64, path):
            hashed = node(beside, hashed) if (left := place & 1 or place == last) else node(hashed, beside)
            while left and not place & 1 and place:
                place, last = place >> 1, last >> 1
            place, last = place >> 1, last >> 1
        if last or hashed != top:
            yield "edit: a record does not lead to the signed head"
        yield from wrong_words(record, each["opened"], salts=("salt", "text"))


def unique(pairs):  # with two equal keys, two readers might see two logs
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def only(value, *names):
    if set(value) - set(names):
        raise ValueError("a line carries what no export writes")
    return value


def export(header, entries, last, keys, kept):
    nodes, roots, found = [], {0: hashlib.sha256(b"").digest()}, []
    count, missing, seen, bare, pruned = 0, set(), set(), set(), set()  # bare: without a record
    only(header, "format", "version", "complete", "range", "filters", "checkpoint", "timestamps")
    only(header["filters"], *([] if header["complete"] else header["filters"]))
    _ = only(header["range"], "first", "size"), only(only(last, "head")["head"], "size", "root", "at")
    for e in entries:
        seq, body, claimed = e["seq"], only(e, "seq", "record", "leaf_hash", "opened")["record"], b64(e["leaf_hash"])
        record = json.loads(body) if body else bare.add(seq) or {"id": seq, "kind": ""}
        if not 0 <= seq < count + 10**7:
            raise ValueError("a number of an entry is far from the one before")
        if seq < count:
            found.append(f"{'reorder' if seq in missing else 'duplicate'}: entry {seq} stands behind a later one")
        elif record["id"] in seen:
            found.append(f"duplicate: entry {seq} is an earlier record once more")
        found += [f"edit: entry {seq} does not match its leaf hash"] if body and leaf(body) != claimed else []
        missing, count = (missing | set(range(count, seq))) - {seq}, max(count, seq + 1)
        seen.add(record["id"])
        found += wrong_words(record, e.get("opened", {}))
        if record["kind"] == "log.pruned" and record["writer"] == "clearance_sequencer":
            pruned.update(n for first, end in record["entries"] for n in range(first, min(end + 1, seq)))
        if record["kind"] == "signingkey.changed" and record["endorsement"]:
            old, new, made = key_of(record["previous"]), key_of(record["key"]), b64(record["endorsement"])
            text = f"clearance/audit-key-change/v1\n{record['previous']}\n{record['key']}\n".encode()
            keys = [*keys, new] if old in keys and old[0] == new[0] and made_by(old[3], made, text) else keys
        size, hashed = len(roots) - 1, claimed
        while size & 1:
            hashed, size = node(nodes.pop(), hashed), size >> 1
        nodes.append(hashed)
        roots[len(roots)] = functools.reduce(lambda right, left: node(left, right), reversed(nodes))
    if not header["complete"]:
        return found + (["selection: it cannot be compared with a head"] if keys or kept else [])
    sound, found = not (found or missing), found + [f"drop: entry {seq} is missing" for seq in missing | bare - pruned]
    heads = {"own head": (last["head"]["size"], b64(last["head"]["root"])), "kept head": kept}
    heads["checkpoint"] = checked(header.get("checkpoint", "\n\n\n"), keys) if keys or "checkpoint" in header else None
    for each in header.get("timestamps", []):  # what authorities signed is for OpenSSL to check: docs/audit.md
        heads[f"time stamp {len(heads)}"] = checked(only(each, "checkpoint", "token")["checkpoint"], [])
    for name, (size, top) in ((name, head) for name, head in heads.items() if head):
        if size > count or (size < count and name == "own head"):
            found.append(f"{'truncation' if size > count else 'addition'}: the {name} has {size} entries")
        elif sound and roots[size] != top:
            found.append(f"rewrite: the first {size} entries are not those of the {name}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, how in (("file", {"type": pathlib.Path}), ("--key", {"action": "append", "default": []}), ("--head", {})):
        parser.add_argument(name, **how)
    given = parser.parse_args()
    keys, size, top = [key_of(key) for key in given.key], *(given.head or ":").split(":")
    try:
        first, *rest = [json.loads(x, object_pairs_hook=unique) for x in given.file.read_text("utf-8").splitlines()]
        kept = (int(size), b64(top)) if given.head else None
        found = [*(export(first, rest[:-1], rest[-1], keys, kept) if rest else receipt(first["records"], keys))]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        found = [f"{'signature' if 'sign' in str(error) else 'format'}: {type(error).__name__}: {error}"]
    print("\n".join(found) or f"OK{'' if keys or given.head else ', by itself: no key and no head was given'}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
