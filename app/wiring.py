"""Puts the real parts of the API together, from its settings. All wiring is in `build`."""

import functools
from dataclasses import dataclass, field

import httpx2

from app.answer.components import Components
from app.answer.entailment import EntailmentBudget
from app.answer.known_names import KnownNames, read_names
from app.answer.live_policy import LivePolicy
from app.answer.prompt_templates import repeated_words
from app.audit.encryption import Sealer
from app.db.engine import connect
from app.db.replicas import Replicas
from app.db.session import Database, Signer
from app.db.standby_engine import connect_standby
from app.embedding.factory import build_embedder, build_entailment, build_reranker
from app.embedding.protocol import EmbeddingModel
from app.guardrail.check import Check
from app.guardrail.checks import checks_with, optional_checks
from app.guardrail.names.presidio import PresidioNames, require
from app.guardrail.names.spans import SegmentCheck
from app.guardrail.policy.document import read_policy
from app.guardrail.policy.model import GuardrailPolicy
from app.identity.feedback_tokens import FeedbackTokens
from app.identity.full_names import full_names
from app.identity.role_names import role_names
from app.indexing.quantizer import quantizer_for
from app.llm.endpoint import endpoint
from app.llm.late_chat import LateChat
from app.llm.protocol import ChatModel
from app.oidc.provider import Provider
from app.refusals.kept import KeptRules
from app.retrieval.rerank import Reranking
from app.scope_index.database_id import DatabaseIdentity
from app.scope_index.database_reader import CodeReader
from app.scope_index.index import ScopeIndex
from app.scope_index.protocol import NoIndex, VectorIndex
from app.scope_index.remote.client import RemoteIndex
from app.scope_index.remote.tls import certificate_for
from app.settings import DatabaseSettings, GuardrailSettings, ModelSettings, RefusalsSettings, Settings, required
from app.web.http.shared import Shared


@dataclass(frozen=True)
class Beforehand:
    """What was made before the process parted into several; alone it has all for itself, and loads its own embedder."""

    settings: Settings
    shared: Shared = field(default_factory=Shared)
    embedder: EmbeddingModel | None = None


def load_embedder(settings: Settings) -> EmbeddingModel:
    """The embedder that the settings name."""
    options = settings.embedder
    return build_embedder(
        kind=options.kind,
        name=options.name,
        threads=options.threads,
        cache=options.cache,
        languages=options.languages,
    )


def build(settings: Settings, embedder: EmbeddingModel | None = None) -> Components:
    """The real parts that the settings name; the embedder, if it is not loaded yet."""
    url = required(settings.database.app_url, "CLEARANCE_DATABASE__APP_URL")
    embedder = embedder or load_embedder(settings)
    sealer = Sealer(bytes.fromhex(settings.audit.key.get_secret_value()))
    database = Database(
        connect(url, pool_size=settings.database.pool_size, prepare=settings.database.prepare_statements),
        Signer(settings.identity.key.get_secret_value(), seconds=settings.identity.seconds),
        statement_timeout_ms=settings.database.statement_timeout_ms,
        replicas=build_replicas(settings.database),
        sealer=sealer,
    )
    names = build_names(settings.guardrail, database)
    return Components(
        settings=settings,
        database=database,
        embedder=embedder,
        index=build_index(settings, embedder.dimensions),
        chat=LateChat(endpoint(settings.model), functools.partial(build_chat, settings.model)),
        sealer=sealer,
        policy=build_policy(settings.guardrail, database, names),
        feedback=FeedbackTokens(bytes.fromhex(settings.identity.key.get_secret_value())),
        reranking=build_reranking(settings),
        entailment=build_entailment_budget(settings),
        names=names,
        refusals=build_refusals(settings.refusals),
        providers={source: Provider(source, provider) for source, provider in settings.providers.items()},
    )


def build_chat(model: ModelSettings) -> ChatModel:
    """The client of the language model. Imported with the first question for it: the library takes most of a second."""
    from app.llm.openai_chat import OpenAIChat, Sampling  # noqa: PLC0415

    return OpenAIChat(
        endpoint(model),
        api_key=model.api_key.get_secret_value(),
        sampling=Sampling(model.max_tokens, model.frequency_penalty),
        timeout=httpx2.Timeout(model.first_token_seconds, connect=model.connect_seconds),
    )


def build_reranking(settings: Settings) -> Reranking | None:
    """The cross-encoder and how far it looks, if one is set."""
    options = settings.embedder
    reranker = build_reranker(settings.reranker.name, threads=options.threads, cache=options.cache)
    return Reranking(reranker, settings.reranker.candidates) if reranker else None


def build_entailment_budget(settings: Settings) -> EntailmentBudget | None:
    """The entailment model and what an answer may take of it, if one is set."""
    options, chosen = settings.embedder, settings.entailment
    model = build_entailment(chosen.name, threads=options.threads, cache=options.cache)
    return EntailmentBudget(model, chosen.sentences, chosen.seconds, options.threads) if model else None


def require_files(options: GuardrailSettings) -> None:
    """Raise ValueError, with what to do, where the policy is wrong, or names are to be hidden and cannot be found."""
    if options.policy_file is not None:
        read_policy(options.policy_file)
    if options.names_file is not None:
        read_names(options.names_file)
    if options.names == "model":
        require(options.names_model)


def build_names(options: GuardrailSettings, database: Database) -> KnownNames | None:
    """The names to look for, if any, read again every so often from here on."""
    if options.names_file is None and not options.names_of_people:
        return None
    people = functools.partial(full_names, database) if options.names_of_people else None
    names = KnownNames(options.names_file, people, seconds=options.names_seconds)
    names.start()
    return names


def build_refusals(options: RefusalsSettings) -> KeptRules | None:
    """The file of refusals, if there is one, read again every so often from here on."""
    if options.file is None:
        return None
    kept = KeptRules(options.file, seconds=options.seconds)
    kept.start()
    return kept


def build_policy(options: GuardrailSettings, database: Database, names: KnownNames | None) -> LivePolicy:
    """The policy in force, looked at again every so often from here on."""
    policy = LivePolicy(
        options.policy_file,
        functools.partial(build_checks, options, names),
        functools.partial(role_names, database),
        seconds=options.policy_seconds,
    )
    policy.start()
    return policy


def build_checks(options: GuardrailSettings, names: KnownNames | None, policy: GuardrailPolicy) -> tuple[Check, ...]:
    """What the guardrail looks for: what it always does, names as the settings want, and what the policy names."""
    optional = [check for check in optional_checks() if check.kind in policy.look_for]
    checks = (*checks_with(*([names.check] if names else []), *optional, *policy.checks), repeated_words())
    if options.names == "off":
        return checks
    return (*checks, SegmentCheck(PresidioNames(options.names_model)))


def build_replicas(settings: DatabaseSettings) -> Replicas:
    """The standbys that searches may go to, if any."""
    limit = settings.statement_timeout_ms
    engines = [
        connect_standby(url, pool_size=settings.pool_size, statement_timeout_ms=limit) for url in settings.standbys()
    ]
    return Replicas(engines, wait_ms=settings.replica_wait_ms)


def build_index(settings: Settings, dimensions: int) -> VectorIndex:
    """The scope lists, in search processes or loading their codes here; with neither PostgreSQL searches alone."""
    book = quantizer_for(dimensions)
    if book is None:
        return NoIndex()
    if settings.lists.addresses:
        return RemoteIndex(
            settings.lists.addresses,
            book,
            certificate=certificate_for(settings.lists.addresses, settings.lists.certificate),
            seconds=settings.lists.seconds,
            database=DatabaseIdentity(required(settings.database.app_url, "CLEARANCE_DATABASE__APP_URL")),
        )
    if settings.database.search_url is None:
        return NoIndex()
    engine = connect(settings.database.search_url.get_secret_value(), pool_size=2)
    lists = ScopeIndex(CodeReader(engine, book), book)
    lists.start()
    return lists
