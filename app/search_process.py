"""A search process: `python -m app.search_process`. It holds the scope lists, or one shard of them, for API processes.

It reads CLEARANCE_DATABASE__SEARCH_URL, whose database role sees codes and nothing else, and CLEARANCE_LISTS__…
"""

import signal
import sys

from app import log
from app.db.engine import connect
from app.hardening import forbid_inspection, forget_settings
from app.indexing.quantizer import ProductQuantizer
from app.scope_index.database_id import DatabaseIdentity
from app.scope_index.database_reader import CodeReader
from app.scope_index.index import ScopeIndex
from app.scope_index.remote.address import CannotListen, listen
from app.scope_index.remote.server import IndexServer
from app.scope_index.remote.tls import certificate_for
from app.scope_index.sharding import Shard
from app.settings import SearchProcessSettings, SettingMissing, required


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    forbid_inspection()
    stop = {signal.SIGTERM, signal.SIGINT}
    # Blocked before any thread is started, which inherits it: the main thread alone waits for them.
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    try:
        settings = SearchProcessSettings()
        forget_settings()
        _run(settings, stop)
    except (ValueError, SettingMissing, CannotListen) as error:
        sys.exit(f"clearance search process: {error}")


def _run(settings: SearchProcessSettings, stop: set[signal.Signals]) -> None:
    options = settings.lists
    url = required(settings.database.search_url, "CLEARANCE_DATABASE__SEARCH_URL")
    if not options.listen:
        raise SettingMissing("CLEARANCE_LISTS__LISTEN is not set; docs/reference.md says what it is")
    certificate = certificate_for([options.listen], options.certificate)
    shard, quantizer = Shard.parse(options.shard), ProductQuantizer(options.dimensions)
    log.configure(json=options.log_json)
    listening = listen(options.listen)
    index = ScopeIndex(CodeReader(connect(url, pool_size=2), quantizer, shard), quantizer)
    server = IndexServer(index, quantizer, shard, certificate=certificate, database=DatabaseIdentity(url))
    index.start()
    server.start(listening)
    log.get().info("lists.listening", address=options.listen, shard=str(shard))
    signal.sigwait(stop)
    server.close()
    index.close()
    log.get().info("lists.stopped")


if __name__ == "__main__":
    main()
