"""The queue before the model: order kept, batches bounded, queries first, failures delivered."""

import asyncio
import threading

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from serving.batching import (
    PASSES_BEFORE_BULK,
    TOKENS_PER_PASS,
    BatchingEncoder,
    priority_by_size,
)
from serving.ports import Priority, Vectors


class Recorder:
    """Encodes a text as its number; holds the first pass until it is let go."""

    def __init__(self, held: bool = False) -> None:
        self.batches: list[list[str]] = []
        self.started = threading.Event()
        self.go = threading.Event()
        if not held:
            self.go.set()

    def __call__(self, texts: list[str]) -> Vectors:
        self.batches.append(texts)
        self.started.set()
        self.go.wait(10)
        return np.array([[float(text)] for text in texts], dtype=np.float32)


@settings(max_examples=25, deadline=None)  # threads, on a machine that is busy
@given(st.lists(st.integers(1, 256), min_size=1, max_size=80))
@example([256] * 80)
def test_vectors_come_in_the_order_of_their_texts_and_no_pass_exceeds_its_budget(
    lengths: list[int],
) -> None:
    recorder = Recorder()
    texts = [str(number) for number in range(len(lengths))]

    async def embed() -> Vectors:
        with BatchingEncoder(recorder) as encoder:
            return await encoder.embed(texts, lengths)

    assert asyncio.run(embed())[:, 0].tolist() == list(range(len(lengths)))
    for batch in recorder.batches:
        padded = max(lengths[int(text)] for text in batch) * len(batch)
        assert padded <= TOKENS_PER_PASS


QUESTION = [str(number) for number in range(900, 917)]  # with its 16 sentences


async def passes(*requests: tuple[list[str], list[int], Priority | None]) -> list[list[str]]:
    """What each pass held where `requests` came in this order while the first pass ran."""
    recorder = Recorder(held=True)
    with BatchingEncoder(recorder) as encoder:
        running = asyncio.create_task(encoder.embed(["1000"], [5]))
        await asyncio.to_thread(recorder.started.wait, 10)
        asked = []
        for request in requests:
            asked.append(asyncio.create_task(encoder.embed(*request)))
            await asyncio.sleep(0)  # lets it reach the queue
        recorder.go.set()
        await asyncio.gather(running, *asked)
    return recorder.batches[1:]


def numbers(count: int, start: int = 0) -> list[str]:
    return [str(number) for number in range(start, start + count)]


@pytest.mark.parametrize("declared", ["interactive", None])
async def test_a_question_with_its_sentences_waits_for_one_pass_not_for_the_ingestion(
    declared: Priority | None,
) -> None:
    folder = (numbers(64), [200] * 64, "bulk")
    first, *others = await passes(folder, (QUESTION, [30] * 17, declared))
    assert first == QUESTION
    assert sum(map(len, others)) == 64


async def test_what_is_declared_wins_over_the_size_of_the_request() -> None:
    few_bulk, many_interactive = (["1"], [5], "bulk"), (numbers(64, 100), [5] * 64, "interactive")
    first, *_, last = await passes(few_bulk, many_interactive)
    assert "1" not in first
    assert last == ["1"]


@pytest.mark.parametrize(
    ("texts", "tokens", "priority"),
    [(1, 256, "interactive"), (32, 64, "interactive"), (32, 65, "bulk"), (33, 1, "bulk")],
)
def test_a_request_that_declares_nothing_is_interactive_where_it_is_small(
    texts: int, tokens: int, priority: Priority
) -> None:
    assert priority_by_size([tokens] * texts) == priority


async def test_bulk_work_goes_on_however_many_questions_come() -> None:
    full = TOKENS_PER_PASS // 4
    questions = [(numbers(4, 4 * n), [full] * 4, "interactive") for n in range(20)]
    found = await passes((["900"], [5], "bulk"), (["901"], [full * 4], "bulk"), *questions)
    assert [number for number, texts in enumerate(found) if texts[0] in ("900", "901")] == [
        PASSES_BEFORE_BULK,
        2 * PASSES_BEFORE_BULK + 1,
    ]


async def test_a_long_text_goes_alone_and_none_is_lost() -> None:
    found = await passes((["1", "2", "3"], [9000, 5, 9000], "bulk"))
    assert found == [["2"], ["1"], ["3"]]


async def test_queries_of_several_clients_share_a_pass() -> None:
    recorder = Recorder(held=True)
    with BatchingEncoder(recorder) as encoder:
        first = asyncio.create_task(encoder.embed(["0"], [5]))
        await asyncio.to_thread(recorder.started.wait, 10)
        others = [asyncio.create_task(encoder.embed([str(n)], [5])) for n in range(1, 5)]
        await asyncio.sleep(0)
        recorder.go.set()
        await asyncio.gather(first, *others)
    assert recorder.batches == [["0"], ["1", "2", "3", "4"]]


async def test_a_failing_pass_fails_its_requests_and_the_next_one_works() -> None:
    def encode(texts: list[str]) -> Vectors:
        if texts == ["bad"]:
            raise RuntimeError("out of memory")
        return np.zeros((len(texts), 1), dtype=np.float32)

    with BatchingEncoder(encode) as encoder:
        with pytest.raises(RuntimeError, match="out of memory"):
            await encoder.embed(["bad"], [1])
        assert (await encoder.embed(["good"], [1])).shape == (1, 1)


async def test_a_cancelled_request_is_not_encoded() -> None:
    recorder = Recorder(held=True)
    with BatchingEncoder(recorder) as encoder:
        first = asyncio.create_task(encoder.embed(["0"], [5]))
        await asyncio.to_thread(recorder.started.wait, 10)
        gone = asyncio.create_task(encoder.embed(["1"], [5]))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        recorder.go.set()
        await first
        await encoder.embed(["2"], [5])
    assert ["1"] not in recorder.batches


async def test_cancelled_bulk_work_holds_up_no_other() -> None:
    recorder = Recorder(held=True)
    with BatchingEncoder(recorder) as encoder:
        first = asyncio.create_task(encoder.embed(["0"], [5]))
        await asyncio.to_thread(recorder.started.wait, 10)
        gone = asyncio.create_task(encoder.embed(numbers(64, 1), [200] * 64, "bulk"))
        await asyncio.sleep(0)
        stays = asyncio.create_task(encoder.embed(["99"], [5], "bulk"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        recorder.go.set()
        await asyncio.gather(first, stays)
    assert recorder.batches == [["0"], ["99"]]


async def test_the_rest_of_a_request_that_failed_is_not_encoded() -> None:
    told = threading.Event()
    encoded: list[list[str]] = []

    def encode(texts: list[str]) -> Vectors:
        encoded.append(texts)
        if texts == ["0"]:
            raise RuntimeError("out of memory")
        told.wait(10)
        return np.zeros((len(texts), 1), dtype=np.float32)

    with BatchingEncoder(encode) as encoder:
        with pytest.raises(RuntimeError, match="out of memory"):
            await encoder.embed(["0", "1", "2"], [TOKENS_PER_PASS] * 3, "bulk")
        told.set()
        await encoder.embed(["last"], [1], "bulk")
    assert encoded == [["0"], ["1"], ["last"]]  # the second pass had begun


async def test_closing_leaves_no_request_waiting() -> None:
    recorder = Recorder(held=True)
    encoder = BatchingEncoder(recorder)
    first = asyncio.create_task(encoder.embed(["0"], [5]))
    await asyncio.to_thread(recorder.started.wait, 10)
    late = asyncio.create_task(encoder.embed(["1"], [5]))
    await asyncio.sleep(0)
    closing = asyncio.create_task(asyncio.to_thread(encoder.__exit__))
    await asyncio.sleep(0.01)  # the close must be asked for before the pass ends
    recorder.go.set()
    await closing
    await first
    with pytest.raises(asyncio.CancelledError):
        await late


async def test_a_text_that_was_embedded_before_is_not_encoded_again() -> None:
    encoded: list[str] = []

    def encode(texts: list[str]) -> np.ndarray:
        encoded.extend(texts)
        return np.array([[float(len(text))] for text in texts], dtype=np.float32)

    with BatchingEncoder(encode) as encoder:
        first = await encoder.embed(["a", "bb", "a"], [1, 2, 1])
        again = await encoder.embed(["bb", "a"], [2, 1])
    assert first.tolist() == [[1.0], [2.0], [1.0]]
    assert again.tolist() == [[2.0], [1.0]]
    assert sorted(encoded) == ["a", "bb"]


@pytest.mark.parametrize(("remembered", "passes"), [(0, 2), (1, 1)])
async def test_so_many_texts_as_the_setting_says_are_not_encoded_again(
    remembered: int, passes: int
) -> None:
    recorder = Recorder()
    with BatchingEncoder(recorder, remembered) as encoder:
        await encoder.embed(["7"], [1])
        await encoder.embed(["7"], [1])
    assert len(recorder.batches) == passes
