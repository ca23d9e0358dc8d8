import pytest

from application.errors import ModelUnavailable
from application.upstream import Breaker, Deadline, Upstream


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
