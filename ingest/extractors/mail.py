"""E-mail: who, whom, when and what about as a header block, then the body; attachments by name."""

import email
import email.policy
import re
from email.message import EmailMessage, MIMEPart

from ingest.extractors import partition
from ingest.extractors.encoding import decode
from ingest.extractors.errors import Malformed
from ingest.extractors.outline import Outline
from ingest.extractors.plain import one_line
from ingest.extractors.web import read_markup

SHOWN = ("From", "To", "Cc", "Date")
PARTS = 500
DEPTH = 20


def read_mail(content: bytes) -> tuple[str | None, Outline]:
    """Title (the subject) and outline of a message."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    fields = {name: value for name in ("Subject", *SHOWN) if (value := _header(message, name))}
    if not fields:
        raise Malformed("The file has no e-mail headers (From, To, Subject): save the message again as .eml.")
    attachments = [name for part in _leaves(message) if (name := one_line(str(_filename(part) or ""))[:200])]
    if attachments:
        fields["Attachments"] = ", ".join(attachments)
    outline = _body(message)
    head = Outline()
    head.add("paragraph", "\n".join(f"{name}: {value}" for name, value in fields.items()))
    outline.put_first(head.blocks)
    return fields.get("Subject"), outline


def _header(message: EmailMessage, name: str) -> str:
    """A header as text; the standard parser raises many kinds of error on broken ones, which then show as they are."""
    raw = next((str(raw) for key, raw in message.raw_items() if key.lower() == name.lower()), "")
    if any("\udc80" <= character <= "\udcff" for character in raw):
        return one_line(_bare_bytes(raw, message))[:2000]
    try:
        value = message.get(name)
    except Exception:  # noqa: BLE001  # documented nowhere; seen: AttributeError, IndexError, TypeError, ValueError
        value = raw
    return one_line(str(value or ""))[:2000]


def _bare_bytes(value: str, message: EmailMessage) -> str:
    """A header that holds bytes beyond ASCII as they are, which the standard forbids: in the encoding of the body."""
    charset = next((found for part in _leaves(message) if (found := part.get_content_charset())), None)
    return decode(value.encode("utf-8", "surrogateescape"), declared=charset)


def _filename(part: MIMEPart) -> str | None:
    try:
        return part.get_filename()
    except Exception:  # noqa: BLE001  # a broken Content-Disposition, as in _header
        return None


def _leaves(message: MIMEPart, depth: int = 0) -> list[MIMEPart]:
    """The parts that hold content, in order; a hostile message nests or repeats them without end."""
    if depth > DEPTH:
        raise Malformed("The message nests its parts too deeply.")
    if not message.is_multipart():
        return [message]
    found: list[MIMEPart] = []
    for part in message.iter_parts():
        found.extend(_leaves(part, depth + 1))
        if len(found) > PARTS:
            raise Malformed("The message has too many parts.")
    return found


def _body(message: EmailMessage) -> Outline:
    """The HTML body, which has the structure, else the plain one."""
    texts = [part for part in _leaves(message) if part.get_content_maintype() == "text" and not _filename(part)]
    markup = next((part for part in texts if part.get_content_subtype() == "html"), None)
    if markup is not None:
        outline = read_markup(_text(markup))[1]
        if outline.blocks:
            return outline
    outline = Outline()
    for part in texts:
        if part is not markup:
            # Quoted lines and signatures are text of the message; only the hard line breaks go.
            partition.add_elements(outline, partition.text_elements(_text(part)), level=lambda _: 1)
    return outline


def _text(part: MIMEPart) -> str:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else str(payload).encode("utf-8", "replace")
    text = decode(raw, declared=part.get_content_charset())
    return re.sub(r"\r\n?", "\n", text)
