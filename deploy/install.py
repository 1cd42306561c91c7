"""Builds .venv for `make`: pip brings uv, uv brings all that is pinned. Needs the standard library alone.

Indexes, proxies and certificates are taken from where people have set them, for either tool: PIP_* and UV_* variables,
pip.conf, SSL_CERT_FILE, REQUESTS_CA_BUNDLE, HTTPS_PROXY. Both tools trust what the system trusts, as a company's proxy
that inspects TLS needs. Where it fails all the same, one line says what to do.
"""

from __future__ import annotations  # a Python that is too old shall get as far as being told so

import ast
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

VENV = Path(".venv")
PYTHON, UV = str(VENV / "bin" / "python"), str(VENV / "bin" / "uv")
# The identity provider of the tests, and their server that speaks S3, each in an environment of its own.
IDP, S3 = str(VENV / "idp"), str(VENV / "s3")
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)  # fmt: skip
LOCKED = ("--quiet", "--require-hashes")
STEPS: dict[str, list[list[str]]] = {
    "uv": [[PYTHON, "-m", "pip", "install", "--disable-pip-version-check", *LOCKED, "-r", "requirements-boot.lock"]],
    "run": [
        [UV, "pip", "install", *LOCKED, "--no-deps", "-r", "requirements.lock"],
        [UV, "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", "."],
    ],
    "dev": [[UV, "pip", "install", *LOCKED, "--no-deps", "-r", "requirements-dev.lock"]],
    "idp": [
        [UV, "venv", "--quiet", "--clear", "--python", PYTHON, IDP],
        [UV, "pip", "install", *LOCKED, "--no-deps", "--python", f"{IDP}/bin/python", "-r", "requirements-idp.lock"],
    ],
    "s3": [
        [UV, "venv", "--quiet", "--clear", "--python", PYTHON, S3],
        [UV, "pip", "install", *LOCKED, "--no-deps", "--python", f"{S3}/bin/python", "-r", "requirements-s3.lock"],
    ],
}
# What a tool says, and what to do about it.
CURES = (
    (
        r"UnknownIssuer|CERTIFICATE_VERIFY_FAILED|invalid peer certificate|self.signed certificate",
        "The package index shows a certificate that nothing here trusts, as behind a proxy that inspects TLS. Add the\n"
        "  company's CA certificate to the system's, or name a file that holds it:\n"
        "    SSL_CERT_FILE=/path/to/ca.pem make run",
    ),
    (
        r"DO NOT MATCH THE HASHES|[Hh]ash mismatch",
        "A file is not the one that was pinned: the index or a proxy altered it. Name another: PIP_INDEX_URL=…",
    ),
    (
        r"\b407\b|ProxyError|proxy error|[Cc]annot connect to proxy",
        "The proxy refuses. Check HTTPS_PROXY, and NO_PROXY for an index inside the company.",
    ),
    (
        r"dns error|[Nn]ame or service not known|[Tt]emporary failure in name resolution|Connection refused|tcp connect"
        r"|[Tt]imed out|unreachable|client error \(Connect\)",
        "The package index cannot be reached from here. Behind a proxy set HTTPS_PROXY; for an index inside the\n"
        "  company set PIP_INDEX_URL (or UV_DEFAULT_INDEX).",
    ),
    (
        r"\b401\b|\b403\b|Unauthorized|Forbidden",
        "The package index refuses. Its URL can hold a name and a token: PIP_INDEX_URL=https://NAME:TOKEN@HOST/simple",
    ),
    (
        r"No matching distribution|not found in the package registry|no version of|No solution found",
        "The package index does not have all that is pinned. Name one that has: PIP_INDEX_URL=… make run",
    ),
    (r"No space left", "The disk is full: .venv needs 1.2 GB here, and as much in uv's cache (UV_CACHE_DIR)."),
    (r"[Pp]ermission denied|Errno 13", "Something here belongs to another user. Work in a copy of your own."),
    (r"ensurepip|python3[.\d]*-venv", "This Python has no 'venv'. On Debian and Ubuntu: apt install python3-venv"),
)


def environment(environ: Mapping[str, str], pip: Mapping[str, str]) -> dict[str, str]:
    """The environment of both tools: each learns what was set for the other. `pip` is pip's own configuration.

    What is set for a tool itself stays. Its values hold passwords, so they go into the environment alone.
    """
    found = dict(environ)

    def default(value: str | None, *names: str) -> None:
        if value and not any(environ.get(name) for name in names):
            found[names[0]] = value

    index = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL")
    if not pip.get("index-url"):
        default(re.sub(r"^[\w.-]+=", "", index or ""), "PIP_INDEX_URL")
    default(pip.get("index-url"), "UV_DEFAULT_INDEX", "UV_INDEX_URL")
    if more := pip.get("extra-index-url"):
        default(" ".join(more.split()), "UV_INDEX", "UV_EXTRA_INDEX_URL")
        default("unsafe-best-match", "UV_INDEX_STRATEGY")  # as pip does; the hashes say what may be installed
    default(" ".join((pip.get("trusted-host") or "").split()), "UV_INSECURE_HOST")
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        default(pip.get("proxy"), name, name.lower(), "ALL_PROXY", "all_proxy")
    own = environ.get("SSL_CERT_FILE") or pip.get("cert") or environ.get("REQUESTS_CA_BUNDLE")
    default(own, "SSL_CERT_FILE")
    if environ.get("SSL_CERT_FILE") or not pip.get("cert"):
        # A pip before 24.2 trusts its own list alone.
        default(own or environ.get("CURL_CA_BUNDLE") or _system_bundle(), "PIP_CERT", "REQUESTS_CA_BUNDLE")
    default("true", "UV_SYSTEM_CERTS")
    return found


def _system_bundle() -> str | None:
    given = ssl.get_default_verify_paths().cafile
    return next((path for path in (given, *BUNDLES) if path and Path(path).is_file()), None)


def pip_configuration(python: str) -> dict[str, str]:
    """What pip.conf and PIP_* say, without their sections; what stands in the environment wins."""
    listed = subprocess.run(  # noqa: S603  # the Python of our own .venv
        [python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.stdout.splitlines():
        if match := re.fullmatch(r"(global|install|:env:)\.([a-z-]+)=(.*)", line):
            found[match[1]][match[2]] = str(ast.literal_eval(match[3]))
    return found["global"] | found["install"] | found[":env:"]


def cure(output: str) -> str:
    """What to do about a failure; empty if it is none of the usual ones."""
    return next((advice for pattern, advice in CURES if re.search(pattern, output)), "")


def run(argv: Sequence[str], environ: Mapping[str, str]) -> None:
    """Run a tool; if it fails, show the end of what it said and what to do, and exit."""
    ended = subprocess.run(  # noqa: S603  # one of STEPS
        argv, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if ended.returncode:
        last = "\n".join(f"  {line}" for line in ended.stdout.strip().splitlines()[-12:])
        advice = cure(ended.stdout)
        fail(f"{Path(argv[0]).name} could not install:\n{last}" + (f"\n→ {advice}" if advice else ""))


def fail(message: str) -> None:
    """Say what is wrong, and end."""
    sys.stderr.write(f"✗ {message}\n")
    sys.exit(1)


def require_usable() -> None:
    """Nothing is begun with a Python that is too old, or in a folder of somebody else's."""
    if sys.version_info < (3, 11):  # noqa: UP036  # nobody has looked at it before
        fail(f"Clearance needs Python 3.11 or newer, this is {sys.version.split()[0]}: make run PYTHON=python3.11")
    for place in (Path(), VENV):
        if place.exists() and not os.access(place, os.W_OK):
            fail(f"{place.absolute()} is not yours to write to: work in a copy of your own")


def main(step: str) -> None:
    """One step of the Makefile."""
    require_usable()
    if step == "uv":
        run([sys.executable, "-m", "venv", str(VENV)], os.environ)
    environ = environment(os.environ, pip_configuration(PYTHON))
    environ["VIRTUAL_ENV"] = str(VENV.absolute())
    for argv in STEPS[step]:
        run(argv, environ)


if __name__ == "__main__":
    main(sys.argv[1])
