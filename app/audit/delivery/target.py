"""What a target is to whoever delivers, and the two ways in which it does not take a batch."""

import ssl
from pathlib import Path
from typing import Protocol

from app.audit.delivery.batch import Batch, NamedFile


class TargetUnavailable(Exception):
    """The target did not take it now: unreachable, overloaded, or wrongly set up. It is tried again for ever.

    The message is short, for a log and a list: no text of a record, no secret, nothing that the target said.
    """


class ContentRefused(Exception):
    """The target will never take this content, as the message says in a few words."""


class DeliveryTarget(Protocol):
    """Somewhere that takes batches."""

    def send(self, batch: Batch) -> None:
        """Deliver it, and return once all of it is acknowledged. Raises TargetUnavailable, ContentRefused."""
        ...


class FileTarget(DeliveryTarget, Protocol):
    """Somewhere that keeps files, and so takes signed heads beside batches."""

    def put(self, file: NamedFile) -> None:
        """Keep this file under its name. Raises TargetUnavailable."""
        ...


def read_secret(path: Path) -> str:
    """The text of a file that holds a secret, read at each use so that it can be replaced. Raises TargetUnavailable."""
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TargetUnavailable(f"{path.name} cannot be read: {type(error).__name__}") from error


def tls_context(files: dict[str, Path]) -> ssl.SSLContext:
    """Always with verification of chain and host: by the file `ca`, or by the machine's roots; with `certificate`, a
    PEM file of a private key and its certificate, we show who we are. Raises TargetUnavailable.
    """
    try:
        context = ssl.create_default_context(cafile=str(files["ca"]) if "ca" in files else None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if "certificate" in files:
            context.load_cert_chain(str(files["certificate"]))
    except (OSError, ssl.SSLError) as error:
        raise TargetUnavailable(f"a certificate file cannot be read: {type(error).__name__}") from error
    return context
