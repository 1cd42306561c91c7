"""The process that delivers the audit log to elsewhere: `python -m app.delivery_process`. Run one.

It reads CLEARANCE_DATABASE__DELIVERY_URL and CLEARANCE_AUDIT__DELIVERIES; no other setting. Its database role reads
records as they lie in the log and signed heads, and nothing else; it has neither the key that signs nor one that opens.
"""

import signal
import sys
import threading
from collections.abc import Callable, Sequence

from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from app import log
from app.audit.delivery import store
from app.audit.delivery.addresses import DeliveryAddress
from app.audit.delivery.courier import FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, deliver
from app.audit.delivery.s3 import require_obstore
from app.audit.delivery.target import TargetUnavailable, read_secret, tls_context
from app.db.engine import connect
from app.hardening import forbid_inspection, forget_settings

# How often it is looked whether all targets are still delivered to.
WATCH_SECONDS = 1.0


class _DeliveryDatabase(BaseModel):
    delivery_url: SecretStr


class _Deliveries(BaseModel):
    deliveries: str = ""


class DeliverySettings(BaseSettings):
    """The part of the settings that this process may know: its own database role's URL, and where it delivers to."""

    model_config = SettingsConfigDict(env_prefix="CLEARANCE_", env_nested_delimiter="__", extra="ignore")

    database: _DeliveryDatabase
    audit: _Deliveries = _Deliveries()


def usable_addresses(given: str) -> list[DeliveryAddress]:
    """The targets that are named, each with what it needs on this machine. Raises ValueError, without a secret."""
    addresses = DeliveryAddress.parse_all(given)
    for address in addresses:
        if address.kind == "s3":
            require_obstore()
        try:
            tls_context(address.files)
            for name in ("credentials", "header"):
                if name in address.files:
                    read_secret(address.files[name])
        except TargetUnavailable as error:
            raise ValueError(f"{address.name}: {error}") from error
    return addresses


def configure(url: str, addresses: Sequence[DeliveryAddress], wait: Callable[[float], bool]) -> bool:
    """Note which targets there are; waits for a database that is not there. False if `wait` said True meanwhile."""
    engine, pause = connect(url, pool_size=1), FIRST_PAUSE_SECONDS
    try:
        while True:
            try:
                with Session(engine) as session, session.begin():
                    store.configure(session, addresses)
            except DBAPIError as error:
                if not (error.connection_invalidated or isinstance(error, OperationalError)):
                    raise
                log.get().warning("audit.database_lost", error=type(error.orig).__name__, retry_seconds=pause)
            else:
                return True
            if wait(pause):
                return False
            pause = min(pause * 2, MAX_PAUSE_SECONDS)
    finally:
        engine.dispose()


def main() -> None:
    """Run until SIGTERM or SIGINT. What is under way then is sent again at the next start."""
    forbid_inspection()
    stop = {signal.SIGTERM, signal.SIGINT}
    # Blocked and waited for, not handled: a handler could interrupt anything anywhere.
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    log.configure(json=True)
    settings = DeliverySettings()
    forget_settings()
    try:
        addresses = usable_addresses(settings.audit.deliveries)
    except ValueError as error:
        sys.exit(f"clearance delivery: CLEARANCE_AUDIT__DELIVERIES: {error}")
    url = settings.database.delivery_url.get_secret_value()
    if configure(url, addresses, lambda seconds: signal.sigtimedwait(stop, seconds) is not None):
        log.get().info("audit.delivery_started", targets=[address.name for address in addresses])
        stopping = threading.Event()
        # Daemons: one that waits for a target that hangs does not hold up the end.
        threads = [
            threading.Thread(target=deliver, args=(url, address, stopping.wait), name=address.name, daemon=True)
            for address in addresses
        ]
        for thread in threads:
            thread.start()
        while signal.sigtimedwait(stop, WATCH_SECONDS) is None:
            if ended := [thread.name for thread in threads if not thread.is_alive()]:
                # Better dead than idle: whoever starts it again configures its targets anew.
                log.get().error("audit.delivery_ended", targets=ended)
                sys.exit(1)
        stopping.set()
    log.get().info("audit.delivery_stopped")


if __name__ == "__main__":
    main()
