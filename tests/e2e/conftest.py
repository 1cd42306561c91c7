"""The sample company, loaded once for all tests that ask it."""

import socket
from collections.abc import Iterator

import pytest

from tests.e2e.sample_site import SampleSite, sample_site
from tests.support.cluster import Cluster


@pytest.fixture(scope="session")
def sample(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleSite]:
    """The running sample company. Tests leave its people and documents as they are."""
    home = tmp_path_factory.mktemp("sample")
    home.chmod(0o700)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with sample_site(cluster, home, port=port) as site:
        yield site
