"""Personal words that were opened, held to what was recorded of them."""

from collections.abc import Mapping

from app.evidence.merkle import SALT_BYTES, commitment, decode, encode
from app.evidence.records import is_sealed, part


def opened_text_matches(sealed: object, words: object, *, left_out: bool = False) -> bool:
    """Whether these words, or the reason why there are none, can be what a sealed field of a record opens to.

    `left_out`: a text that was kept may be missing, where its salt is there to compare one with, as in a receipt.
    """
    keeps = part(sealed, "keeps") if is_sealed(sealed) else None
    match words:
        case {"text": str(text), "salt": str(salt), **beside}:
            return keeps == "text" and not beside and matches_commitment(sealed, text, salt)
        case {"salt": str(salt), **beside}:
            # The text was never kept, or is left out: who holds it can check it with this salt.
            return (keeps == "salt" or (left_out and keeps == "text")) and not beside and _is_salt(salt)
        case {"erased": True, **beside} | {"unreadable": True, **beside}:
            return keeps is not None and not beside
        case _:
            return False


def _is_salt(salt: str) -> bool:
    try:
        return len(decode(salt)) == SALT_BYTES
    except ValueError:
        return False


def matches_commitment(sealed: object, text: str, salt: str) -> bool:
    """Whether a sealed field of a record is committed to this text under this salt."""
    try:
        return isinstance(sealed, Mapping) and sealed.get("commitment") == encode(commitment(decode(salt), text))
    except ValueError:
        return False
