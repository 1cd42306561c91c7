"""The sync of the directory that the settings name, from real parts."""

import datetime as dt

from app.audit.encryption import Sealer
from app.db.engine import connect
from app.db.session import Database, Signer
from app.directories.ldap import LdapDirectory
from app.directories.settings import DirectorySettings
from app.directories.sync import DirectorySync, SyncBounds
from app.settings import required


def build_sync(settings: DirectorySettings) -> DirectorySync:
    """The sync of this directory over a connection of its own."""
    url = required(settings.database.app_url, "CLEARANCE_DATABASE__APP_URL")
    sealer = Sealer(bytes.fromhex(settings.audit.key.get_secret_value()))
    database = Database(
        connect(url, pool_size=1),
        Signer(settings.identity.key.get_secret_value(), seconds=settings.identity.seconds),
        statement_timeout_ms=settings.database.statement_timeout_ms,
        sealer=sealer,
    )
    bounds = SyncBounds(
        dt.timedelta(hours=settings.ldap.fresh_hours), full=dt.timedelta(minutes=settings.ldap.full_minutes)
    )
    return DirectorySync(database, sealer, LdapDirectory(settings.ldap), source=settings.ldap.source, bounds=bounds)
