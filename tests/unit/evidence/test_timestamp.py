"""Tokens of time stamping authorities: what is taken for one, and what is not."""

import datetime as dt
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.x509 import Certificate
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from app.evidence.checkpoint import Checkpoint
from app.evidence.merkle import Head
from app.evidence.stamps import StampedHead
from app.evidence.timestamp import MAX_TOKEN_BYTES, BadTimestamp, TimestampQuery, read_roots, stamped_at
from tests.support.environment import REPOSITORY
from tests.support.exported_log import write
from tests.support.log_keys import LOG_KEY
from tests.support.time_stamping import STAMPING, TimestampAuthority

CHECKPOINT = Checkpoint.sign(Head(7, bytes(32)), [LOG_KEY])
TEXT = CHECKPOINT.note.text


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TimestampAuthority:
    return TimestampAuthority.make(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture(scope="module")
def roots(authority: TimestampAuthority) -> Sequence[Certificate]:
    return read_roots(authority.roots.read_bytes())


def test_an_answer_gives_a_token_and_the_token_its_moment(
    authority: TimestampAuthority, roots: Sequence[Certificate]
) -> None:
    query = TimestampQuery.over(TEXT)
    token, moment = query.token_of(authority.reply(query.body), roots)
    assert abs(moment - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    assert stamped_at(token, TEXT, roots) == moment


def test_another_text_another_question_and_another_root_are_refused(
    authority: TimestampAuthority, roots: Sequence[Certificate], tmp_path: Path
) -> None:
    query, again = TimestampQuery.over(TEXT), TimestampQuery.over(TEXT)
    reply = authority.reply(query.body)
    token, _ = query.token_of(reply, roots)
    with pytest.raises(BadTimestamp, match="messages"):
        stamped_at(token, TEXT.replace("7", "8"), roots)
    with pytest.raises(BadTimestamp, match="Nonce"):
        again.token_of(reply, roots)
    other = read_roots(TimestampAuthority.make(tmp_path / "other").roots.read_bytes())
    with pytest.raises(BadTimestamp, match="issuer"):
        stamped_at(token, TEXT, other)
    assert stamped_at(token, TEXT, [*other, *roots])


def test_what_is_no_token_is_refused(authority: TimestampAuthority, roots: Sequence[Certificate]) -> None:
    token = authority.stamp(TEXT)
    for bad in (b"", b"x", token[:-1], token + b"x", bytes(300)):
        with pytest.raises(BadTimestamp):
            stamped_at(bad, TEXT, roots)
    with pytest.raises(BadTimestamp, match="not read"):
        stamped_at(bytes(MAX_TOKEN_BYTES + 1), TEXT, roots)


def test_a_refusal_and_a_longer_hash_are_no_stamps(
    authority: TimestampAuthority, roots: Sequence[Certificate], tmp_path: Path
) -> None:
    query = TimestampQuery.over(TEXT)
    longer = TimestampRequestBuilder().data(TEXT.encode()).hash_algorithm(HashAlgorithm.SHA512).build()
    with pytest.raises(BadTimestamp, match="SHA-256"):
        query.token_of(authority.reply(longer.as_bytes()), roots)
    strict = TimestampAuthority.make(tmp_path / "strict")
    config = strict.folder / "tsa.cnf"
    config.write_text(config.read_text().replace("digests = sha256, sha384, sha512", "digests = sha384"))
    with pytest.raises(BadTimestamp, match="refused: status 2"):
        query.token_of(strict.reply(query.body), read_roots(strict.roots.read_bytes()))


YESTERDAY = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
WRONG: dict[str, dict[str, object]] = {
    "for code": {"purposes": (ExtendedKeyUsageOID.CODE_SIGNING,)},
    "for more than time stamps": {"purposes": (STAMPING, ExtendedKeyUsageOID.SERVER_AUTH)},
    "for nothing that is named": {"purposes": ()},
    "for time stamps, not critical": {"critical": False},
    "expired": {"ends": YESTERDAY},
}


@pytest.mark.parametrize("made", WRONG.values(), ids=WRONG)
def test_a_certificate_that_may_not_stamp_is_refused(
    authority: TimestampAuthority, tmp_path: Path, made: dict[str, object]
) -> None:
    wrong = TimestampAuthority.make(tmp_path / "wrong", **made)  # type: ignore[arg-type]
    query = TimestampQuery.over(TEXT)
    reply = wrong.signed_anew(authority.reply(query.body))
    with pytest.raises(BadTimestamp, match=r"purpose|expired"):
        query.token_of(reply, read_roots(wrong.roots.read_bytes()))


def test_a_certificate_that_has_ended_since_was_good_then(authority: TimestampAuthority, tmp_path: Path) -> None:
    """And the same way of making an answer is taken from an authority that is good: only the certificate differs."""
    ended = TimestampAuthority.make(tmp_path / "ended", ends=YESTERDAY)
    earlier = YESTERDAY - dt.timedelta(days=2)
    token = ended.stamp(TEXT, at=earlier)
    assert stamped_at(token, TEXT, read_roots(ended.roots.read_bytes())) == earlier.replace(microsecond=0)


def test_no_changed_byte_changes_what_a_token_says(authority: TimestampAuthority, roots: Sequence[Certificate]) -> None:
    """Most are refused; a few bytes, as of the names of algorithms, are read by nobody."""
    token, moments, chance = authority.stamp(TEXT), set[dt.datetime](), random.Random(7)
    true, refused = stamped_at(token, TEXT, roots), 0
    for _ in range(400):
        place = chance.randrange(len(token))
        changed = token[:place] + bytes([token[place] ^ (1 << chance.randrange(8))]) + token[place + 1 :]
        try:
            moments.add(stamped_at(changed, TEXT, roots))
        except BadTimestamp:
            refused += 1
    assert moments <= {true}
    assert refused > 350


def test_a_pem_file_without_certificates_is_refused() -> None:
    with pytest.raises(ValueError, match=r"."):
        read_roots(b"nothing")


def test_openssl_checks_a_kept_checkpoint_and_its_token(authority: TimestampAuthority, tmp_path: Path) -> None:
    """With the commands of docs/audit.md, from a file that was exported."""
    token = authority.stamp(TEXT)
    write(tmp_path / "log.jsonl", [], stamps=[StampedHead(CHECKPOINT, token).to_json()])
    (tmp_path / "tsa-root.pem").write_bytes(authority.roots.read_bytes())
    docs = (REPOSITORY / "docs" / "audit.md").read_text()
    take, three, verify, show = (
        next(line.strip() for line in docs.splitlines() if line.startswith(f"    {begins}"))
        for begins in ("python -c", "head -n 3", "openssl ts -verify", "openssl ts -reply")
    )

    def run(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run(take.replace("python", sys.executable, 1)).returncode == 0
    assert (tmp_path / "kept.checkpoint").read_text() == str(CHECKPOINT)
    assert run(three).returncode == run(verify).returncode == 0
    assert f"Time stamp: {dt.datetime.now(dt.UTC):%b}" in run(show).stdout
    (tmp_path / "signed.txt").write_text(TEXT.replace("7", "8"))
    assert run(verify).returncode != 0
