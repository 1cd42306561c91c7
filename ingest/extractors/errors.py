"""Why a file gives no text. All are permanent: the same bytes fail again, and `reason` tells a person what to do.

ExtractionError
├── Unsupported       no parser for this kind of file
├── Encrypted         protected by a password
├── Empty             nothing to index
├── Malformed         damaged, or not what its name says
│   └── Undecodable   text in an encoding that nothing tells for sure
├── FileTooLarge      above a limit on size, expansion or memory
│   └── TooManyPages
└── TimedOut          took longer than the limit
"""

from app.file_kinds import UNSUPPORTED


class ExtractionError(Exception):
    """Base of all permanent failures; `reason` is a sentence for the person who uploaded, without document text."""

    default = "The file could not be read."
    code = "ExtractionError"

    def __init_subclass__(cls) -> None:
        """`code` names the failure in audit records: the class name unless the class says otherwise."""
        cls.code = cls.__dict__.get("code", cls.__name__)

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or self.default)
        self.reason = reason or self.default


class Unsupported(ExtractionError):
    default = UNSUPPORTED


class Encrypted(ExtractionError):
    default = "The file is protected by a password: remove the protection and upload it again."


class Empty(ExtractionError):
    default = "The file holds no text."


class Malformed(ExtractionError):
    default = "The file is damaged: open it in its own program, save it again and upload that."


class Undecodable(Malformed):
    default = "The encoding of the text is not certain: save it as UTF-8 and upload that."


class FileTooLarge(ExtractionError):
    code = "TooLarge"
    default = "The file is too large to read: split it and upload the parts."


class TooManyPages(FileTooLarge):
    default = "The file has too many pages: split it and upload the parts."


class TimedOut(ExtractionError):
    default = "Reading the file took too long: split it, or save it in a simpler format, and upload that."


BY_CODE: dict[str, type[ExtractionError]] = {
    kind.code: kind
    for kind in (Unsupported, Encrypted, Empty, Malformed, Undecodable, FileTooLarge, TooManyPages, TimedOut)
}
