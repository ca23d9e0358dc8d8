"""The queue before the model: order kept, batches bounded, queries first, failures delivered."""

import asyncio
import threading

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from serving.batching import TOKENS_PER_PASS, BatchingEncoder
from serving.ports import Vectors


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


async def test_a_query_waits_for_one_pass_not_for_the_whole_ingestion() -> None:
    recorder = Recorder(held=True)
    with BatchingEncoder(recorder) as encoder:
        folder = asyncio.create_task(encoder.embed([str(n) for n in range(64)], [256] * 64))
        await asyncio.to_thread(recorder.started.wait, 10)
        query = asyncio.create_task(encoder.embed(["99"], [5]))
        await asyncio.sleep(0)  # lets the query reach the queue
        recorder.go.set()
        await asyncio.gather(folder, query)
    assert recorder.batches[1] == ["99"]


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
