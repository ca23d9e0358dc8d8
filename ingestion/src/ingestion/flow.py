"""The sync as a Prefect flow, one task per batch: the only module that imports prefect."""

import re
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from textwrap import indent
from typing import Any, cast

from prefect import flow, serve, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import ConcurrencyLimitConfig, FlowRun, State
from prefect.deployments import run_deployment
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.schedules import Cron, Interval, Schedule
from prefect.states import Completed, Failed
from prefect.types.entrypoint import EntrypointType

from contracts.status import RunReport
from ingestion.errors import IngestionError, Unavailable, UsageError
from ingestion.operate.console import run_text
from ingestion.settings import Settings
from ingestion.sync.batch import BatchResult
from ingestion.sync.order import OnProgress, RunBatch
from ingestion.sync.plan import Pending
from ingestion.sync.request import SyncRequest
from ingestion.sync.retry import BATCH_ATTEMPTS, FIRST_WAIT_SECONDS
from ingestion.sync.run import run_sync
from ingestion.sync.services import Services

FIRST_RUN_SECONDS = 10  # from the start of `ingestion serve`: Prefect schedules nothing in the past
# A run that was killed before it began gives its slot back after the grace, Prefect's least.
ONE_AT_A_TIME = ConcurrencyLimitConfig(limit=1, grace_period_seconds=60)
POLL_SECONDS = 2  # how soon a run that someone triggers starts; Prefect's default is 10

_on_progress: ContextVar[OnProgress] = ContextVar("on_progress", default=lambda done, total: None)


class SyncFailed(Exception):
    """A failed run with its report and notes; Prefect wants an exception in a failed state."""

    def __init__(self, report: RunReport, notes: list[str]) -> None:
        super().__init__(report.error)
        self.outcome = (report, notes)


@flow(name="sync", flow_run_name="sync-{request.source}")
def sync_flow(request: SyncRequest) -> State[tuple[RunReport, list[str]]]:
    """Sync one source; the state is Failed when the run failed, and holds its report either way.

    A held run is completed, under the name of "Held"."""
    settings = Settings()
    report, notes = run_sync(
        request, settings, Services.of(settings), as_task, _on_progress.get(), flow_run.get_id()
    )
    _publish(report, notes)
    if report.status == "failed":
        return Failed(message=report.error, data=SyncFailed(report, notes))
    if report.hold and report.status == "held":  # not a failure: another try would be held too
        return Completed(name="Held", message="; ".join(report.hold.reasons), data=(report, notes))
    return Completed(message=report.status, data=(report, notes))


def _publish(report: RunReport, notes: list[str]) -> None:
    """Show the report in Prefect's UI, under Artifacts; the run has ended, whatever becomes of it.

    One source's reports have one key there, so the newest stands above the earlier ones.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", f"{report.index}-{report.tenant}-{report.source}".lower())
    text = "\n".join([run_text(report), *(f"note: {note}" for note in notes)])
    try:
        create_markdown_artifact(
            indent(text, "    "),  # as code: paths and reasons come from documents
            key=f"run-report-{slug.strip('-')}",
            description=f"Last sync of {report.source} into {report.index}: {report.status}",
        )
    except Exception as error:  # noqa: BLE001  # correctness never depends on Prefect
        notes.append(f"Prefect did not take the run report ({error}); it is in the state folder")


def as_task(run_batch: RunBatch) -> RunBatch:
    """The batch function as a task, tried again while the embedder or the store is unavailable.

    Prefect's cache stays out of it: what has to be done was read from the manifests before.
    """

    @task(
        name="index batch",
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=BATCH_ATTEMPTS - 1,
        retry_delay_seconds=[FIRST_WAIT_SECONDS * 2**n for n in range(BATCH_ATTEMPTS - 1)],
        retry_condition_fn=_is_unavailable,
    )
    def index_batch(batch: Sequence[Pending]) -> BatchResult:
        return run_batch(batch)

    return index_batch


def _is_unavailable(task: Any, task_run: Any, state: State[Any]) -> bool:
    return isinstance(state.result(raise_on_failure=False), Unavailable)


def run_flow(request: SyncRequest, on_progress: OnProgress) -> tuple[RunReport, list[str]]:
    """Run the flow here and now, recorded by the Prefect server."""
    token = _on_progress.set(on_progress)
    try:
        state = sync_flow(request, return_state=True)
    finally:
        _on_progress.reset(token)
    result = state.result(raise_on_failure=False)
    if isinstance(result, SyncFailed):
        return result.outcome
    if isinstance(result, Exception):
        raise result
    return cast(tuple[RunReport, list[str]], result)


def trigger(source: str, wait_seconds: float) -> tuple[str, str, SyncRequest]:
    """Run a source's deployment: the flow run's id, the state that it is in, its request.

    UsageError if no such deployment is served, IngestionError if it has not ended in that time;
    with 0 nothing is waited for.
    """
    name = f"{sync_flow.name}/{source}"
    try:
        run = cast(FlowRun, run_deployment(name, timeout=wait_seconds, poll_interval=1))
    except ObjectNotFound as error:
        raise UsageError(
            f"Prefect has no deployment {name}: declare {source} in the sources.yaml of "
            "`ingestion serve`, and start that."
        ) from error
    state = run.state_name or "unknown"
    if wait_seconds and not (run.state and run.state.is_final()):
        raise IngestionError(
            f"Flow run {run.id} of {name} is {state} after {wait_seconds:.0f} s: "
            "is `ingestion serve` running?"
        )
    return str(run.id), state, SyncRequest.model_validate(run.parameters["request"])


def serve_sources(sources: Sequence[tuple[SyncRequest, int | str]]) -> None:
    """A deployment per source, by interval in seconds or by cron, served until this is stopped.

    The first run of an interval starts at once: a fresh index need not wait for it to pass.
    """
    first = datetime.now(UTC) + timedelta(seconds=FIRST_RUN_SECONDS)
    served = [
        sync_flow.to_deployment(
            name=request.source,
            parameters={"request": request.model_dump(mode="json")},
            schedule=_schedule(schedule, first),
            entrypoint_type=EntrypointType.MODULE_PATH,  # found wherever the package is installed
            concurrency_limit=ONE_AT_A_TIME,
        )
        for request, schedule in sources
    ]
    deployed = cast(list[RunnerDeployment], served)  # awaitables in async code only
    # Not paused, or a restart would find its schedules paused.
    serve(*deployed, pause_on_shutdown=False, query_seconds=POLL_SECONDS)


def _schedule(schedule: int | str, first: datetime) -> Schedule:
    if isinstance(schedule, str):
        return Cron(schedule, timezone="UTC")
    return Interval(timedelta(seconds=schedule), anchor_date=first)
