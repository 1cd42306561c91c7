"""SCIM by the book: what the checks of scim2-tester ask of a server, and the contract of scim2-server's storages."""

from collections import Counter
from collections.abc import Iterator

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import ScimProvider
from scim2_server.testing import ScimStorageContract
from scim2_tester import Status, check_server

from app.acl.change_guard import guard_change
from app.admin.directory_keeping import DirectoryKeeper
from app.answer.components import Components
from app.identity.authenticate import identify
from app.identity.subject import Subject
from app.web.scim.provider import scim_provider
from app.web.scim.storage import SourceStorage
from tests.support.cluster import TEMPLATE, Cluster, copied
from tests.support.company import Company
from tests.support.environment import Report
from tests.support.provisioning import BASE, add_provisioner
from tests.support.service import parts_of, serve


def test_scim2_tester_finds_no_fault(company: Company, report: Report) -> None:
    """Over real HTTP: discovery, creation, reading, replacement, every PATCH operation on every attribute, deletion."""
    key = add_provisioner(company.db, "okta")
    with (
        serve(parts_of(company.db)) as url,
        httpx2.Client(base_url=f"{url}{BASE}", headers=key.headers, timeout=60) as http,
    ):
        client = SyncSCIMClient(http)
        results = check_server(client)
    wrong = [r for r in results if r.status not in {Status.SUCCESS, Status.SKIPPED, Status.ACCEPTABLE}]
    counted = Counter(str(r.status) for r in results)
    report(f"scim2-tester: {len(results)} checks: {dict(counted)}")
    assert not wrong, "\n".join(f"{r.title} of {r.resource_type}: {r.reason} {r.data}" for r in wrong)
    assert len(results) > 50


@pytest.fixture(scope="module")
def kept(cluster: Cluster) -> Iterator[tuple[Components, Subject]]:
    """A provisioning service in a database of its own, without anybody in its source."""
    with copied(cluster, TEMPLATE) as db:
        key = add_provisioner(db, "okta")
        parts = parts_of(db)
        with parts.database.anonymous() as session:
            subject = identify(session, key.secret)
        yield parts, subject
        parts.database.close()


class TestStorageContract(ScimStorageContract):
    """On PostgreSQL, in a transaction that is rolled back: filters and orders are those of the library's evaluator."""

    @pytest.fixture
    def provider(self) -> Iterator[ScimProvider]:
        with scim_provider() as described:
            yield described

    @pytest.fixture
    def storage(self, kept: tuple[Components, Subject]) -> Iterator[SourceStorage]:
        parts, subject = kept
        with parts.database.dry_run(subject.user_id) as session:
            guard_change(session, subject)
            yield SourceStorage(session, subject, DirectoryKeeper(session, subject, parts.sealer), several=True)
