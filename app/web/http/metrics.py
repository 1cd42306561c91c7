"""Counts and times requests by route, never by document, collection or person; gives each an id and a log line.

The line has method, route, status, duration, the caller's id and the service that asks for them; never a key, a path as
it was sent, or a query. And no answer is stored on its way, unless it says so itself: it may hold a document's text.
"""

import math
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.admin.deliveries import DeliveryLagSeconds
from app.answer.live_policy import LivePolicy
from app.db.replicas import Replicas
from app.errors import DatabaseUnavailable
from app.guardrail.meter import HELD_BOUNDS, GuardrailMeter
from app.guardrail.stages import STAGES
from app.identity.subject import Subject
from app.retrieval.counters import OutcomeCounter
from app.web.http.route_table import ROUTE, SUBJECT

# A method is a caller's word; what is none of these could be anything.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class ReplicaSearches(Collector):
    """What came of the searches that might have gone to a read replica, by its outcomes."""

    def __init__(self, replicas: Replicas) -> None:
        self._replicas = replicas

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Nothing where there are no replicas."""
        counts = self._replicas.counts()
        if counts:
            family = CounterMetricFamily(
                "clearance_replica_searches", "Searches by read replica and outcome", labels=["replica", "outcome"]
            )
            for count in counts:
                family.add_metric([str(count.replica), count.outcome], count.number)
            yield family


class ListSearches(Collector):
    """How searches found the nearest, and how often each search process was lost."""

    def __init__(self, searches: OutcomeCounter, lost: Callable[[], Mapping[str, int]]) -> None:
        """`lost` gives the numbers by shard; none where the lists are in this process."""
        self._searches, self._lost = searches, lost

    def collect(self) -> Iterator[CounterMetricFamily]:
        """What has not happened yet is not there."""
        family = CounterMetricFamily(
            "clearance_searches",
            "Searches by how the nearest were found: by the lists, or by PostgreSQL and why",
            labels=["nearest"],
        )
        for outcome, number in self._searches.counts().items():
            family.add_metric([outcome], number)
        yield family
        lost = self._lost()
        if lost:
            family = CounterMetricFamily(
                "clearance_lists_lost", "Times that a search process failed or was too slow", labels=["shard"]
            )
            for shard, number in lost.items():
                family.add_metric([shard], number)
            yield family


class GuardrailWork(Collector):
    """What the guardrail took out, held back and cost, and how often it failed."""

    def __init__(self, meter: GuardrailMeter) -> None:
        self._meter = meter

    def collect(self) -> Iterator[Metric]:
        """The failures of each stage are there from the start, so that the first one is a step."""
        redactions = CounterMetricFamily(
            "clearance_redactions", "Redactions in answers, searches and opened documents, by kind", labels=["kind"]
        )
        for kind, number in self._meter.redactions().items():
            redactions.add_metric([kind], number)
        yield redactions
        failures = CounterMetricFamily(
            "clearance_guardrail_failures", "Texts that were withheld because the guardrail failed", labels=["stage"]
        )
        counted = self._meter.failures()
        for stage in STAGES:
            failures.add_metric([stage], counted.get(stage, 0))
        yield failures
        yield from _refusals(self._meter)
        yield _held_back(self._meter)
        characters, cpu_seconds = self._meter.work()
        yield CounterMetricFamily(
            "clearance_guardrail_characters", "Characters of models' answers that went in", value=characters
        )
        yield CounterMetricFamily(
            "clearance_guardrail_cpu_seconds", "CPU time of grounding and filters for these", value=cpu_seconds
        )


class PolicyState(Collector):
    """Which policy the guardrail follows, and whether a newer file was refused."""

    def __init__(self, policy: LivePolicy) -> None:
        self._policy = policy

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Nothing where there is no policy."""
        now = self._policy.current
        if now.policy.digest:
            family = GaugeMetricFamily(
                "clearance_guardrail_policy", "1 for the policy in force", labels=["digest", "version"]
            )
            family.add_metric([now.policy.digest, now.policy.version], 1)
            yield family
            yield GaugeMetricFamily(
                "clearance_guardrail_policy_refused",
                "Whether the file is wrong, and the policy before it stays in force",
                value=int(now.error is not None),
            )


def _refusals(meter: GuardrailMeter) -> Iterator[Metric]:
    ruled = CounterMetricFamily(
        "clearance_guardrail_refusals",
        "Questions by category and what became of them: refuse, redirect, flag, unchecked",
        labels=["category", "action"],
    )
    for (category, action), number in meter.refusals().items():
        ruled.add_metric([category, action], number)
    yield ruled
    out = CounterMetricFamily(
        "clearance_guardrail_model_failures",
        "Questions on which a guard model gave no verdict",
        labels=["model", "cause"],
    )
    for (model, cause), number in meter.models_out().items():
        out.add_metric([model, cause], number)
    yield out


def _held_back(meter: GuardrailMeter) -> HistogramMetricFamily:
    held, below = meter.held(), 0
    buckets = []
    for bound, number in zip([*map(float, HELD_BOUNDS), math.inf], held.buckets, strict=True):
        below += number
        buckets.append(("+Inf" if bound == math.inf else str(bound), below))
    return HistogramMetricFamily(
        "clearance_guardrail_held_characters",
        "Characters that the filters of an answer held back, after each piece of it",
        buckets=buckets,
        sum_value=held.total,
    )


class DeliveryLags(Collector):
    """How late each target of the log's delivery is, and how many records it refused."""

    def __init__(self, lags: Callable[[], Iterable[DeliveryLagSeconds]]) -> None:
        self._lags = lags

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Nothing where there are no targets, or while the database does not answer."""
        try:
            found = list(self._lags())
        except DatabaseUnavailable:
            return
        if not found:
            return
        late = GaugeMetricFamily(
            "clearance_delivery_lag_seconds", "Age of the oldest record not delivered, by target", labels=["target"]
        )
        refused = GaugeMetricFamily(
            "clearance_delivery_dead_letters", "Records that a target refused", labels=["target"]
        )
        for lag in found:
            late.add_metric([lag.target], lag.seconds)
            refused.add_metric([lag.target], lag.dead_letters)
        yield late
        yield refused


class _Merged(Collector):
    """Families that were collected elsewhere."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def by_process(texts: Mapping[int, str]) -> bytes:
    """The metrics of several processes as one text, each sample with the label `process`."""
    families: dict[str, Metric] = {}
    for number, text in sorted(texts.items()):
        for family in text_string_to_metric_families(text):
            merged = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            merged.samples += [each._replace(labels={**each.labels, "process": str(number)}) for each in family.samples]
    registry = CollectorRegistry()
    registry.register(_Merged(families.values()))
    return generate_latest(registry)


class Observe:
    """ASGI middleware: request id, one log line, metrics."""

    def __init__(self, app: ASGIApp, *, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "clearance_requests", "Requests by route and status", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "clearance_request_seconds", "Time until the response is sent", ["route"], registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(uuid.uuid4())
        status = 500
        started = time.perf_counter()

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
                if not any(name == b"cache-control" for name, _ in message["headers"]):
                    message["headers"].append((b"cache-control", b"no-store"))
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                await self._app(scope, receive, observed)
            finally:
                # The route's template, never the path: a path names documents.
                route = scope.get(ROUTE, "unknown")
                self._requests.labels(route, str(status)).inc()
                self._seconds.labels(route).observe(time.perf_counter() - started)
                structlog.get_logger().info(
                    "request",
                    method=scope["method"] if scope["method"] in METHODS else "other",
                    route=route,
                    status=status,
                    ms=round(1000 * (time.perf_counter() - started)),
                    **_caller(scope),
                )


def _caller(scope: Scope) -> dict[str, str]:
    """The ids of the verified caller and of the service that asks for them; of a stranger nothing."""
    subject: Subject | None = scope.get(SUBJECT)
    if subject is None:
        return {}
    via = {} if subject.via is None else {"via": str(subject.via.service_id)}
    return {"caller": str(subject.user_id), **via}
