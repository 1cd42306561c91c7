"""What the installer tells pip and uv of each other's settings, and what it says where they fail."""

import importlib.util
from types import ModuleType

import pytest

from tests.support.environment import REPOSITORY


@pytest.fixture(scope="module")
def installer() -> ModuleType:
    """deploy/install.py, which belongs to no package."""
    spec = importlib.util.spec_from_file_location("installer", REPOSITORY / "deploy" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("environ", "pip", "expected"),
    [
        ({}, {"index-url": "https://a/simple"}, {"UV_DEFAULT_INDEX": "https://a/simple", "UV_SYSTEM_CERTS": "true"}),
        ({"UV_DEFAULT_INDEX": "own=https://b"}, {}, {"PIP_INDEX_URL": "https://b"}),
        ({"UV_INDEX_URL": "https://b"}, {"index-url": "https://a"}, {"UV_INDEX_URL": "https://b"}),
        ({}, {"extra-index-url": "https://a\nhttps://b"}, {"UV_INDEX": "https://a https://b"}),
        ({}, {"trusted-host": "inside"}, {"UV_INSECURE_HOST": "inside"}),
        ({}, {"proxy": "http://p:1"}, {"HTTPS_PROXY": "http://p:1", "HTTP_PROXY": "http://p:1"}),
        ({"https_proxy": "http://q"}, {"proxy": "http://p:1"}, {"https_proxy": "http://q"}),
        ({}, {"cert": "/ca"}, {"SSL_CERT_FILE": "/ca"}),
        ({"SSL_CERT_FILE": "/new"}, {"cert": "/old"}, {"PIP_CERT": "/new", "SSL_CERT_FILE": "/new"}),
        ({"REQUESTS_CA_BUNDLE": "/ca"}, {}, {"SSL_CERT_FILE": "/ca"}),
        ({"PIP_CERT": "/p", "SSL_CERT_FILE": "/s"}, {"cert": "/p"}, {"PIP_CERT": "/p", "SSL_CERT_FILE": "/s"}),
    ],
)
def test_each_tool_learns_what_was_set_for_the_other(
    installer: ModuleType, environ: dict[str, str], pip: dict[str, str], expected: dict[str, str]
) -> None:
    found = installer.environment(environ, pip)
    assert expected.items() <= found.items()
    assert environ.items() <= found.items()
    assert ("UV_DEFAULT_INDEX" in found) <= ("UV_INDEX_URL" not in environ)
    assert ("HTTPS_PROXY" in found) <= ("https_proxy" not in environ)


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("invalid peer certificate: UnknownIssuer", "SSL_CERT_FILE="),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "SSL_CERT_FILE="),
        ("error sending request\n dns error: failed to lookup address", "cannot be reached"),
        ("HTTP status client error (401 Unauthorized)", "refuses"),
        ("Tunnel connection failed: 407 Proxy Authentication Required", "HTTPS_PROXY"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES ... expected 4031407401", "not the one that was pinned"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("something nobody has seen", ""),
    ],
)
def test_what_a_tool_says_has_its_cure(installer: ModuleType, said: str, word: str) -> None:
    assert word in installer.cure(said)
    assert bool(word) == bool(installer.cure(said))
