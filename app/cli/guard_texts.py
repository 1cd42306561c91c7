"""What the commands of `clearance guard` read: texts, and policies with what is looked for under them."""

import sys
from pathlib import Path

from app.cli.output import print_note
from app.client.errors import UserError
from app.guardrail.check import Check
from app.guardrail.checks import checks_with, optional_checks
from app.guardrail.policy.document import PolicyFileError, read_policy
from app.guardrail.policy.model import GuardrailPolicy


class PolicyRefused(UserError):
    """The policy or its cases are wrong; the message names the line."""


class UnreadableText(UserError):
    """The file is missing, or no text; the message says which."""


def load_policy(path: Path) -> GuardrailPolicy:
    """The policy of a file. Raises PolicyRefused."""
    try:
        return read_policy(path)
    except PolicyFileError as error:
        raise PolicyRefused(str(error)) from None


def checks_of(policy: GuardrailPolicy) -> tuple[Check, ...]:
    """What is looked for under a policy, but for names, which the settings of a service choose."""
    optional = [check for check in optional_checks() if check.kind in policy.look_for]
    return checks_with(*optional, *policy.checks)


def read_text(given: str) -> str:
    """Standard input, a file, or the text itself."""
    if given == "-":
        return _decoded(sys.stdin.buffer.read(), "Standard input")
    path = Path(given)
    try:
        if path.is_file():
            return _decoded(path.read_bytes(), given)
    except PermissionError as error:
        raise UnreadableText(f"{given} may not be read.") from error
    except OSError:  # longer than a name may be: no path
        return given
    if path.suffix and not set(given) & set(" \n@"):
        print_note(f"There is no file {given}: it is taken for the text.")
    return given


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableText(f"{name} is no text in UTF-8. 'clearance ingest' reads other formats.") from error
