"""The composition root: builds every object once, and the FastAPI application around them."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version

import aiohttp
from fastapi import FastAPI
from pydantic import SecretStr
from qdrant_client.http.exceptions import ApiException

from application import api
from application.access import KeyRing
from application.adapters.embedder import Embedder
from application.adapters.events import AnswerEvents
from application.adapters.fallback import FallbackChatModel
from application.adapters.index import Index, connect
from application.adapters.llm import SECOND, StreamingChatModel
from application.adapters.manifests import EndpointManifests
from application.adapters.prompt import ChatPrompt, marker_key
from application.adapters.readiness import ReadinessChecks
from application.adapters.reranker import Reranker
from application.adapters.retriever import IndexRetriever
from application.adapters.support import WordsAndValues
from application.admission import Admission
from application.answer import Answerer
from application.build import build_of_sources
from application.bundle_store import BundleStore
from application.conversation import Conversations
from application.dependencies import Services
from application.doors import chat_completions, feedback_route, mcp_server
from application.doors.feedback_box import FeedbackBox
from application.doors.openai_form import openai_refusals
from application.errors import Misconfigured, ModelUnavailable, RetrievalUnavailable
from application.metrics import Metrics
from application.middleware import KnownHosts, RequestEnvelope
from application.ports import ChatModel
from application.problems import add_problem_handlers
from application.releases import Releases
from application.settings import LOOPBACK_HOSTS, Settings
from application.upstream import Upstream
from application.web.routes import router as page
from application.web.routes import static_files

log = logging.getLogger("application")

WEB_FAULTS = (aiohttp.ClientError, ValueError, LookupError)
HOP_LIMIT_SECONDS = 10.0  # of one call to the embedder or the vector store


def create_app(settings: Settings, metrics: Metrics | None = None) -> FastAPI:
    """The application; clients open and close with its lifespan. Raises Misconfigured."""
    if not settings.require_keys and not settings.on_loopback:
        raise Misconfigured(
            f"APPLICATION_REQUIRE_KEYS=false is for loopback only, not for {settings.host}; "
            "leave it on and make a key with `application keys create`."
        )
    metrics = metrics or Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with services(settings, metrics) as built, mcp_server.opened(app):
            app.state.services = built
            yield

    app = FastAPI(
        title="Faultline application",
        version=version("faultline-application"),
        lifespan=lifespan,
        openapi_url=None,  # every public route is one more to guard; `app.openapi()` has it
    )
    app.state.settings = settings
    app.include_router(api.router)
    app.include_router(
        chat_completions.router, dependencies=[api.DOOR], responses=openai_refusals(api.REFUSALS)
    )
    app.include_router(feedback_route.router, dependencies=[api.DOOR], responses=api.REFUSALS)
    app.router.routes.append(mcp_server.ROUTE)
    app.include_router(page)
    app.mount("/static", static_files, name="static")
    add_problem_handlers(app)
    app.add_middleware(Admission, settings=settings, metrics=metrics)
    if not settings.require_keys:  # without keys, a name that points here is not enough
        app.add_middleware(KnownHosts, hosts=LOOPBACK_HOSTS)
    app.add_middleware(RequestEnvelope, metrics=metrics)
    return app


@asynccontextmanager
async def services(settings: Settings, metrics: Metrics) -> AsyncIterator[Services]:
    """Every object of this process, with its clients open."""
    async with AsyncExitStack() as stack:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        qdrant = connect(settings.qdrant_url, _secret(settings.qdrant_api_key))
        stack.push_async_callback(qdrant.close)
        events = AnswerEvents(
            settings.state_dir / "events" / "answers.jsonl", settings.events_megabytes << 20
        )
        stack.callback(events.close)
        feedback = AnswerEvents(
            settings.state_dir / "events" / "feedback.jsonl", settings.events_megabytes << 20
        )
        stack.callback(feedback.close)
        metrics.events_lost.set_function(lambda: events.lost)

        embed_key, llm_key = _secret(settings.embed_api_key), _secret(settings.llm_api_key)
        embedder = Embedder(
            session,
            settings.embed_url,
            embed_key,
            Upstream("embedder", RetrievalUnavailable, WEB_FAULTS, limit_seconds=HOP_LIMIT_SECONDS),
        )
        index = Index(
            qdrant,
            Upstream(
                "vector store",
                RetrievalUnavailable,
                (ApiException,),
                limit_seconds=HOP_LIMIT_SECONDS,
            ),
        )
        retriever = IndexRetriever(embedder, index, _reranker(session, settings))
        manifests = EndpointManifests(
            session, settings.llm_url, llm_key, settings.embed_url, embed_key
        )
        first = asyncio.create_task(manifests.prepare())
        stack.callback(first.cancel)
        build = build_of_sources()
        folder = settings.state_dir / "bundles"
        bundles = BundleStore(folder, settings.bundle, settings.answer_profile)
        log.info("bundle %s answers", bundles.live.digest)  # a broken one stops the start here
        marker = marker_key(settings.marker_key, settings.state_dir / "secrets" / "marker.key")
        prompt, model = ChatPrompt(marker), _chat_models(session, settings)
        answerer = Answerer(
            retriever=retriever,
            similarity=embedder,
            prompt=prompt,
            model=model,
            support=WordsAndValues(),
            manifests=manifests,
            logs=[events, metrics],
            build=build,
            log_texts=settings.log_texts,
        )
        yield Services(
            settings=settings,
            build=build,
            keys=KeyRing(settings.keys_file),
            bundles=bundles,
            releases=Releases(bundles, settings.state_dir, build),
            retriever=retriever,
            manifests=manifests,
            answerer=answerer,
            conversations=Conversations(answerer, prompt, model),
            feedback=FeedbackBox(events, feedback, retriever),
            readiness=ReadinessChecks(session, index, bundles, settings, events),
            metrics=metrics,
        )


def _chat_models(session: aiohttp.ClientSession, settings: Settings) -> ChatModel:
    """The chat model, with a second one behind it where the settings name one."""

    def upstream(name: str) -> Upstream:
        return Upstream(name, ModelUnavailable, WEB_FAULTS)

    probe_url = settings.probe_llm_url
    first = StreamingChatModel(
        session,
        settings.llm_url,
        settings.llm_model,
        _secret(settings.llm_api_key),
        upstream("chat model"),
        probes=(probe_url, upstream("probes' chat model")) if probe_url else None,
        quirks=settings.llm_quirks,
    )
    if not settings.secondary_llm_url:
        return first
    second = StreamingChatModel(
        session,
        settings.secondary_llm_url,
        settings.secondary_llm_model or settings.llm_model,
        _secret(settings.secondary_llm_key),
        upstream("second chat model"),
        quirks=settings.secondary_llm_quirks,
        wording=SECOND,
    )
    return FallbackChatModel(first, second)


def _reranker(session: aiohttp.ClientSession, settings: Settings) -> Reranker | None:
    """The reranker, where the settings name one."""
    if not settings.rerank_url:
        return None
    return Reranker(
        session,
        settings.rerank_url,
        settings.rerank_model,
        _secret(settings.rerank_api_key),
        Upstream("reranker", RetrievalUnavailable, WEB_FAULTS, limit_seconds=HOP_LIMIT_SECONDS),
        settings.rerank_candidates,
    )


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None
