import asyncio

import pytest

from application.errors import InvalidRequest, ModelUnavailable
from application.upstream import Breaker, Deadline, Refused, Upstream


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Attempts:
    """Fails as often as it is told to, then succeeds."""

    def __init__(self, failures: int, fault: Exception | None = None) -> None:
        self.left = failures
        self.made = 0
        self.fault = fault or ConnectionError("secret detail")

    async def __call__(self) -> str:
        self.made += 1
        if self.left:
            self.left -= 1
            raise self.fault
        return "done"


def upstream(breaker: Breaker | None = None) -> Upstream:
    return Upstream("chat model", ModelUnavailable, (ValueError,), breaker)


async def test_a_call_that_fails_once_is_tried_once_more() -> None:
    attempts = Attempts(1)
    assert await upstream().call(attempts, Deadline(5)) == "done"
    assert attempts.made == 2


async def test_a_call_that_fails_twice_is_given_up() -> None:
    attempts = Attempts(2)
    with pytest.raises(ModelUnavailable):
        await upstream().call(attempts, Deadline(5))
    assert attempts.made == 2


async def test_what_failed_is_told_in_our_words() -> None:
    breaker = Breaker(failures=2)
    with pytest.raises(ModelUnavailable, match="chat model did not answer") as raised:
        await upstream(breaker).call(Attempts(9), Deadline(5))
    assert "secret" not in str(raised.value)


async def test_an_error_that_is_no_fault_of_the_upstream_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        await upstream().call(Attempts(1, KeyError("bug")), Deadline(5))


async def test_retries_are_a_tenth_of_the_calls_once_the_reserve_is_used_up() -> None:
    calls = upstream(Breaker(failures=10_000))
    attempts = Attempts(10_000)
    for _ in range(200):
        with pytest.raises(ModelUnavailable):
            await calls.call(attempts, Deadline(5))
    assert attempts.made <= 200 * 1.1 + 5


async def test_no_retry_is_made_after_the_deadline() -> None:
    clock = Clock()
    deadline = Deadline(1, clock)

    async def fail_late() -> str:
        clock.now = 2.0
        raise ValueError

    with pytest.raises(ModelUnavailable):
        await upstream().call(fail_late, deadline)
    assert deadline.remaining() == 0


async def test_an_open_breaker_refuses_at_once_and_lets_one_call_try_later() -> None:
    clock = Clock()
    calls = upstream(Breaker(failures=2, rest_seconds=10, clock=clock))
    attempts = Attempts(2)
    with pytest.raises(ModelUnavailable):
        await calls.call(attempts, Deadline(60, clock))
    with pytest.raises(ModelUnavailable, match="keeps failing"):
        await calls.call(attempts, Deadline(60, clock))
    assert attempts.made == 2
    clock.now = 11.0
    assert await calls.call(attempts, Deadline(60, clock)) == "done"
    assert not calls.breaker.is_open


async def opened(clock: Clock) -> Upstream:
    """An upstream whose breaker has just opened."""
    calls = upstream(Breaker(failures=2, rest_seconds=10, clock=clock))
    with pytest.raises(ModelUnavailable):
        await calls.call(Attempts(2), Deadline(60, clock))
    assert calls.breaker.is_open
    return calls


async def test_half_open_one_call_of_fifty_goes_through() -> None:
    clock = Clock()
    calls = await opened(clock)
    clock.now = 11.0
    reached, release = 0, asyncio.Event()

    async def wait() -> str:
        nonlocal reached
        reached += 1
        await release.wait()
        return "done"

    def call() -> asyncio.Task[str]:
        return asyncio.ensure_future(calls.call(wait, Deadline(60, clock)))

    fifty = [call() for _ in range(50)]
    await asyncio.wait(fifty, return_when=asyncio.FIRST_COMPLETED)
    release.set()
    results = await asyncio.gather(*fifty, return_exceptions=True)
    assert (reached, results.count("done")) == (1, 1)
    assert await calls.call(wait, Deadline(60, clock)) == "done"


async def test_half_open_a_failure_opens_again_and_a_cancelled_trial_says_nothing() -> None:
    clock = Clock()
    calls = await opened(clock)
    clock.now = 11.0
    hanging = asyncio.ensure_future(calls.call(asyncio.Event().wait, Deadline(60, clock)))
    await asyncio.sleep(0)
    assert calls.breaker.is_open
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    assert not calls.breaker.is_open  # the next one may try
    with pytest.raises(ModelUnavailable):
        await calls.call(Attempts(1), Deadline(60, clock))
    assert calls.breaker.is_open


async def test_a_trial_that_is_never_ended_does_not_block_for_ever() -> None:
    clock = Clock()
    calls = await opened(clock)
    clock.now = 11.0
    await calls.begin(Attempts(0), Deadline(60, clock))  # its reply is never read
    assert calls.breaker.is_open
    clock.now = 100.0
    assert await calls.call(Attempts(0), Deadline(60, clock)) == "done"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 429])
async def test_a_refusal_is_no_ill_health_and_is_not_tried_again(status: int) -> None:
    calls = upstream(Breaker(failures=2))
    attempts = Attempts(20, Refused("No.", status, retry_after_seconds=60))
    for _ in range(10):
        with pytest.raises(ModelUnavailable, match="No"):
            await calls.call(attempts, Deadline(5))
    assert (attempts.made, calls.breaker.is_open) == (10, False)


async def test_too_many_requests_are_tried_again_after_the_pause_that_was_asked_for() -> None:
    attempts = Attempts(1, Refused("Too often.", 429, retry_after_seconds=0.01))
    assert await upstream().call(attempts, Deadline(5)) == "done"


async def test_a_refusal_may_name_the_error_that_the_caller_gets() -> None:
    with pytest.raises(InvalidRequest, match="long"):
        await upstream().call(
            Attempts(1, Refused("Too long.", 413, error=InvalidRequest)), Deadline(5)
        )


async def test_a_deadline_that_is_over_is_no_fault_of_the_upstream() -> None:
    calls, attempts = upstream(Breaker(failures=2)), Attempts(0)
    for _ in range(9):
        with pytest.raises(ModelUnavailable, match="time for this request was over"):
            await calls.call(attempts, Deadline(0))
    assert (attempts.made, calls.breaker.is_open) == (0, False)


@pytest.mark.parametrize(("left", "is_open"), [(0.9, True), (0.1, False)])
async def test_silence_counts_only_where_the_upstream_had_a_fair_share_of_the_time(
    left: float, is_open: bool
) -> None:
    calls = upstream(Breaker(failures=2))
    for _ in range(2):
        clock = Clock()
        deadline = Deadline(1, clock)
        clock.now = 1 - left

        async def too_late(clock: Clock = clock) -> str:
            clock.now = 1.0
            raise TimeoutError

        with pytest.raises(ModelUnavailable):
            await calls.call(too_late, deadline)
    assert calls.breaker.is_open == is_open


async def test_a_call_takes_no_longer_than_the_limit_of_its_hop_and_that_is_ill_health() -> None:
    calls = Upstream("x", ModelUnavailable, (), Breaker(failures=2), limit_seconds=0.01)
    with pytest.raises(ModelUnavailable):
        await calls.call(asyncio.Event().wait, Deadline(60))
    assert calls.breaker.is_open


class Times:
    """Calls that run out of time, at an upstream that may be at work meanwhile."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.breaker = Breaker(failures=2, clock=self.clock)
        self.upstream = Upstream("x", ModelUnavailable, (), self.breaker, clock=self.clock)

    async def run_out(self, pieces_at: tuple[float, ...] = ()) -> None:
        """One reply whose pieces come at these seconds of 30, and whose end never comes."""
        began = self.clock.now
        deadline = Deadline(30, self.clock)
        _, attempt = await self.upstream.begin(Attempts(0), deadline)
        for at in pieces_at:
            self.clock.now = began + at
            attempt.heard()
        self.clock.now = began + 30
        attempt.end(TimeoutError())


async def test_a_reply_that_is_slow_but_goes_on_until_its_deadline_opens_no_breaker() -> None:
    times = Times()
    for _ in range(9):
        await times.run_out((10, 20, 29))
    assert not times.breaker.is_open


@pytest.mark.parametrize("pieces_at", [(), (29,), (1, 2, 3)])
async def test_replies_that_hang_open_the_breaker_also_after_a_first_piece(
    pieces_at: tuple[float, ...],
) -> None:
    times = Times()
    for _ in range(2):
        await times.run_out(pieces_at)
    assert times.breaker.is_open


async def test_a_call_that_waits_behind_others_at_a_loaded_upstream_opens_no_breaker() -> None:
    times = Times()
    for _ in range(9):
        deadline = Deadline(30, times.clock)
        _, waiting = await times.upstream.begin(Attempts(0), deadline)
        _, other = await times.upstream.begin(Attempts(0), deadline)
        times.clock.now += 29
        other.heard()
        other.heard()  # the model is at work for somebody
        times.clock.now += 1
        waiting.end(TimeoutError())
        other.end(TimeoutError())
    assert not times.breaker.is_open
