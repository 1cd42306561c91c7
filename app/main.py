"""The API service; `python -m app` serves it."""

import contextlib
import gc
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any

import anyio
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector
from starlette.types import Lifespan

from app import log
from app.admin.background import BackgroundWork
from app.admin.deliveries import delivery_lags
from app.admin.leak_test_runs import LeakTestRuns, LeakTestSteps
from app.admin.log_exports import LogExports
from app.admin.refusals import FailedSignIns, record_due
from app.answer.components import Components
from app.answer.running import RunningAnswers
from app.client.api import Client
from app.db.rls_probe import probe
from app.hardening import forbid_inspection, forget_settings
from app.leak_test.run import leak_test
from app.llm.context_length import require_context
from app.llm.endpoint import endpoint
from app.refusals.kept import require_refusals
from app.scope_index.remote.client import RemoteIndex
from app.settings import ApiSettings, Settings
from app.web.api import (
    access_decisions,
    access_reviews,
    api_keys,
    ask,
    audit,
    audit_proofs,
    collections,
    conversations,
    delegations,
    deliveries,
    directories,
    documents,
    explain,
    exposure,
    feedback,
    forgetting,
    grants,
    guardrail_check,
    guardrail_policy,
    leak_tests,
    log_exports,
    openings,
    passkeys,
    people_import,
    plans,
    policy_dry_runs,
    replay,
    retention,
    revealing,
    roles,
    saved_queries,
    search,
    service_health,
    sessions,
    shown,
    stale_answers,
    sync,
    unusual,
    upload_preview,
    uploads,
    users,
)
from app.web.api.schemas import Problem
from app.web.console.routes import include_console, install_console
from app.web.http import docs_page, health, problems
from app.web.http.authentication import Authentication
from app.web.http.credentials import Cookies
from app.web.http.limits import KeyLimits
from app.web.http.metrics import DeliveryLags, GuardrailWork, ListSearches, Observe, PolicyState, ReplicaSearches
from app.web.http.openapi import Service
from app.web.http.relay import Relay
from app.web.scim import entry as scim_entry
from app.web.scim import routes as scim_routes
from app.web.sign_in import passkey_routes
from app.web.sign_in import routes as sign_in
from app.wiring import Beforehand, build, require_files


def collectors(parts: Components) -> tuple[Collector, ...]:
    """What the parts have counted, for the metrics."""
    lost = parts.index.lost if isinstance(parts.index, RemoteIndex) else dict
    lags = DeliveryLags(lambda: delivery_lags(parts.database))
    searches = ReplicaSearches(parts.database.replicas), ListSearches(parts.searches, lost)
    return *searches, lags, GuardrailWork(parts.guardrail), PolicyState(parts.policy)


def own_url(settings: ApiSettings) -> str:
    """Where this process reaches itself."""
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared with, not bound to
    host = anywhere.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def run_leak_test(url: str, key: str, steps: LeakTestSteps) -> Mapping[str, Any]:
    """A leak test of the service there, without starting a process; gives its report as JSON."""
    with Client(url, key) as admin:
        return leak_test(admin, steps, commands=False).to_json()


def read_settings() -> Settings:
    """Those of the environment, which forgets them; ends the process with a line that says what is wrong with them."""
    forbid_inspection()
    try:
        settings = Settings()
        endpoint(settings.model)
        require_context(settings)
        require_files(settings.guardrail)
        require_refusals(settings.refusals.file)
    except ValueError as error:
        sys.exit(f"clearance api: {error}")
    forget_settings()
    return settings


def create(parts: Components | None = None, prepared: Beforehand | None = None) -> FastAPI:
    """The service over these parts, or over those that the settings name: the prepared ones, or the environment's."""
    prepared = prepared or Beforehand(parts.settings if parts else read_settings())
    settings, shared = prepared.settings, prepared.shared
    log.configure(json=settings.api.log_json)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.parts = parts or build(settings, prepared.embedder)
        probe(app.state.parts.database)
        counting = collectors(app.state.parts)
        for collector in counting:
            app.state.metrics.register(collector)
        # What is there now stays: to look through it for garbage would stop the service for a quarter of a second.
        gc.collect()
        gc.freeze()
        async with RunningAnswers(app.state.parts, shared.places) as app.state.running:
            yield
        gc.unfreeze()
        await anyio.to_thread.run_sync(app.state.background.close)
        for collector in counting:
            app.state.metrics.unregister(collector)
        record_due(app.state.parts.database, app.state.failed_sign_ins.due(closing=True))
        for provider in app.state.parts.providers.values():
            provider.close()
        app.state.parts.policy.close()
        if app.state.parts.names is not None:
            app.state.parts.names.close()
        if app.state.parts.refusals is not None:
            app.state.parts.refusals.close()
        app.state.parts.index.close()
        app.state.parts.database.close()

    app = create_routes(lifespan)
    app.state.api_settings = settings.api
    app.state.limits = KeyLimits(settings.api, shared.keys)
    app.state.ready_limit = anyio.CapacityLimiter(1)
    app.state.failed_sign_ins = FailedSignIns()
    app.state.background = BackgroundWork()
    app.state.leak_tests = LeakTestRuns(run_leak_test, own_url(settings.api), app.state.background)
    app.state.log_exports = LogExports(app.state.background)
    app.state.metrics = CollectorRegistry()
    app.state.cookies = Cookies(settings.public_url)
    install_console(app)
    app.state.peers = shared.peers
    app.add_middleware(Authentication, settings=settings.api, cookies=app.state.cookies, shared=shared)
    app.add_middleware(Observe, registry=app.state.metrics)
    if shared.peers is not None:
        app.add_middleware(Relay, peers=shared.peers, places=shared.places)
    return app


def _summarize(router: APIRouter) -> None:
    """Say what each route does where only its name would stand: the first sentence of its docstring."""
    for route in router.routes:
        if isinstance(route, APIRoute) and route.endpoint.__doc__:
            route.summary = route.endpoint.__doc__.strip().split("\n")[0].split(". ")[0].rstrip(".")


def create_routes(lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """All routes, without parts behind them: enough for the OpenAPI document."""
    app = Service(
        title="Clearance",
        summary="Ask your company's documents; see only what you are cleared for.",
        version="0.1.0",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    problems.install(app)
    # Named once, so that its schema is in the description; which errors a route has says `app.web.http.openapi`.
    api = APIRouter(prefix="/api/v1", responses={"4XX": {"model": Problem}})
    for resource in (
        ask,
        search,
        conversations,
        collections,
        documents,
        upload_preview,
        uploads,
        sync,
        users,
        people_import,
        directories,
        roles,
        grants,
        api_keys,
        delegations,
        sessions,
        passkeys,
        explain,
        access_decisions,
        access_reviews,
        feedback,
        plans,
        audit,
        audit_proofs,
        shown,
        deliveries,
        openings,
        exposure,
        forgetting,
        retention,
        stale_answers,
        unusual,
        replay,
        log_exports,
        saved_queries,
        service_health,
        leak_tests,
        revealing,
        guardrail_check,
        guardrail_policy,
        policy_dry_runs,
        docs_page,
    ):
        _summarize(resource.router)
        api.include_router(resource.router)
    app.include_router(api)
    _summarize(scim_routes.router)
    scim_entry.install(app)
    app.include_router(scim_routes.router, responses={"4XX": {"model": Problem}})
    app.include_router(health.router)
    app.include_router(passkey_routes.router)
    app.include_router(sign_in.router)
    include_console(app)
    docs_page.mount_static(app)
    return app
