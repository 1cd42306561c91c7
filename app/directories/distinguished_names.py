"""Names of entries (RFC 4514) in one form: two ways to write a name are one name, and two names never are. Pure."""

import re
import unicodedata

# Signs by which a name is more than parts with commas between.
_SPECIAL = re.compile(r"[\\\"+;#]")
_TO_ESCAPE = re.compile(r"[,+;=\\\"#]")
_PART = re.compile(r"\\([0-9a-fA-F]{2}|.)|([,+;\"])|([^\\,+;\"]+)", re.DOTALL)


def normal_dn(dn: str) -> str:
    """The name with its attributes and values in lower case, blanks folded, and escapes where they have to be alone."""
    if not _SPECIAL.search(dn):
        return ",".join(_plain(part) for part in dn.split(","))
    return ",".join("+".join(sorted(_ava(*pair) for pair in rdn)) for rdn in _parsed(dn))


def _plain(part: str) -> str:
    attribute, _, value = part.partition("=")
    return _ava(attribute, value)


def _ava(attribute: str, value: str) -> str:
    folded = " ".join(unicodedata.normalize("NFKC", value).lower().split())
    escaped = _TO_ESCAPE.sub(r"\\\g<0>", folded)
    return f"{attribute.strip().lower()}={escaped}"


def _parsed(dn: str) -> list[list[tuple[str, str]]]:
    """The parts of a name, each with its pairs of attribute and value, unescaped."""
    rdns: list[list[tuple[str, str]]] = [[]]
    text, raw, within_quotes = "", bytearray(), False

    def flush() -> None:
        nonlocal text
        text += raw.decode("utf-8", errors="replace")
        raw.clear()

    def close() -> None:
        nonlocal text
        flush()
        attribute, _, value = text.partition("=")
        rdns[-1].append((attribute, value))
        text = ""

    for escaped, sign, plain in _PART.findall(dn):
        if len(escaped) == 2:
            raw += bytes.fromhex(escaped)  # bytes of a character, maybe of more than one escape
            continue
        flush()
        if sign == '"':
            within_quotes = not within_quotes
        elif sign and not within_quotes:
            close()
            rdns.extend([] if sign == "+" else [[]])
        else:
            text += escaped or sign or plain
    close()
    return rdns
