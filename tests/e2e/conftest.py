"""The sample company, loaded once for all tests that ask it."""

from collections.abc import Iterator

import pytest

from tests.e2e.sample_site import SampleSite, sample_site
from tests.support.cluster import Cluster
from tests.support.environment import free_port


@pytest.fixture(scope="session")
def sample(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleSite]:
    """The running sample company. Tests leave its people and documents as they are."""
    home = tmp_path_factory.mktemp("sample")
    home.chmod(0o700)
    with sample_site(cluster, home, port=free_port()) as site:
        yield site
