import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes import openai_server, perfect_reader
from tests.fakes.perfect_reader import MODEL, REFUSAL, known, reply

SCRIPT = Path(perfect_reader.__file__)
LEAVE = {"path": "leave.md", "span": "Full-time staff have 25 days of leave a year"}
OLD = {"path": "old.md", "span": "Staff had 20 days of leave a year"}
ROWS: list[dict[str, Any]] = [
    {
        "id": "q1",
        "question": "How many days of leave do I have?",
        "gold": {
            "r1": {"answerable": True, "answer": "20 days", "accept": [], "documents": [OLD]},
            "r2": {
                "answerable": True,
                "answer": "25 days",
                "accept": ["twenty-five days"],
                "documents": [LEAVE],
            },
        },
    },
    {
        "id": "q2",
        "question": "Who pays for lunch?",
        "gold": {"r2": {"answerable": False, "answer": None, "accept": [], "documents": []}},
    },
    {
        "id": "q3",
        "question": "Is it 10 days?",
        "gold": {
            "r1": {"answerable": True, "answer": "10 days", "accept": [], "documents": [OLD]},
            "r2": {"answerable": False, "answer": None, "accept": [], "documents": []},
        },
    },
]
NEW_PROMPT = "Passages:\n{passages}\n\nQuestion: {question}"
OLD_PROMPT = "Context ab12:\n- {passages}\n\nQuestion: {question}"
TWO = "[1] Leave > old\nSomething on 25 days.\n[2] {text}\nmore of it"


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    path = tmp_path / "golden.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def chat(form: str, passages: str, question: str = ROWS[0]["question"]) -> list[dict[str, Any]]:
    return [
        {"role": "system", "content": "Cite [n]. Say `Not found in the documents.` if need be."},
        {"role": "user", "content": "[1] 20 days\n\nQuestion: example?"},
        {"role": "assistant", "content": "20 days [1]."},
        {"role": "user", "content": form.format(passages=passages, question=question)},
    ]


SPAN = LEAVE["span"]


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        (chat(NEW_PROMPT, f"[1] {SPAN}."), "25 days [1]."),
        (chat(NEW_PROMPT, TWO.format(text=SPAN)), "25 days [2]."),  # the gold span before others
        (chat(NEW_PROMPT, "[1] Nothing.\n[2] Some have 25 days."), "25 days [2]."),
        (chat(NEW_PROMPT, "[1] They have twenty-five days."), "twenty-five days [1]."),
        (chat(NEW_PROMPT, f"[1] See\n[7] a note.\n[2] {SPAN}"), "25 days [2]."),  # a footnote's [7]
        (chat(NEW_PROMPT, "[1] It takes 125 days."), REFUSAL),
        (chat(NEW_PROMPT, ""), REFUSAL),
        (chat(OLD_PROMPT, f"{SPAN}."), "25 days"),
        (
            [*chat(NEW_PROMPT, f"[1] {SPAN}."), {"role": "assistant", "content": ""}],
            "25 days [1].",
        ),
        ([{"role": "system", "content": SPAN}], REFUSAL),
        (chat(OLD_PROMPT, "Nothing of it."), REFUSAL),  # 20 days stands in the worked example
        (chat(NEW_PROMPT, "[1] Lunch is 25 days away.", "Who pays for lunch?"), REFUSAL),
        (chat(NEW_PROMPT, f"[1] {SPAN}", "Something else?"), REFUSAL),
        (chat(NEW_PROMPT, "[1] Nothing.", "Is it 10 days?"), REFUSAL),  # only the question says it
        # It has no answer in r2, so the value counts only where the gold span stands.
        (chat(NEW_PROMPT, "[1] Pay takes 10 days.", "Is it 10 days?"), REFUSAL),
        (
            [
                {"role": "system", "content": f"Use this context:\n\n{SPAN}"},
                {"role": "user", "content": "How many days of  leave do I have?"},
            ],
            "25 days",
        ),
        (
            [{"role": "user", "content": [{"type": "text", "text": f"[1] {SPAN}\nQ: Who?"}]}],
            REFUSAL,
        ),
    ],
)
def test_it_replies_the_value_that_stands_in_what_it_was_shown(
    golden: Path, messages: list[dict[str, Any]], said: str
) -> None:
    assert reply(messages, known([golden])) == said


def test_a_named_revision_alone_counts(golden: Path) -> None:
    shown = chat(NEW_PROMPT, "[1] Staff had 20 days of leave a year.")
    assert reply(shown, known([golden])) == "20 days [1]."
    assert reply(shown, known([golden], "r2")) == REFUSAL


def test_a_question_that_ends_with_another_one_is_told_from_it(tmp_path: Path) -> None:
    def row(question: str, answer: str) -> str:
        gold = {"answerable": True, "answer": answer, "accept": [], "documents": []}
        return json.dumps({"id": answer, "question": question, "gold": {"r1": gold}})

    path = tmp_path / "golden.jsonl"
    path.write_text(f"{row('When did it begin?', 'May')}\n{row('And When did it begin?', 'June')}")
    asked = chat(NEW_PROMPT, "[1] May or June.", "And When did it begin?")
    assert reply(asked, known([path])) == "June [1]."


def test_two_rows_that_ask_the_same_are_both_known(tmp_path: Path) -> None:
    rows = [
        {"question": "Who?", "gold": {"r1": {"answerable": True, "answer": name, "documents": []}}}
        for name in ("Ada", "Bob")
    ]
    path = tmp_path / "golden.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    questions = known([path])
    assert reply(chat(NEW_PROMPT, "[1] Ada came.", "Who?"), questions) == "Ada [1]."
    assert reply(chat(NEW_PROMPT, "[1] Bob came.", "Who?"), questions) == "Bob [1]."


@pytest.fixture
def server(golden: Path) -> Iterator[httpx.Client]:
    questions = known([golden])
    script = {"reply": lambda body: reply(body["messages"], questions), "model": MODEL}
    with openai_server.running(**script) as found, httpx.Client(base_url=found.url) as client:
        yield client


def test_it_names_itself_and_speaks_whole_and_in_a_stream(server: httpx.Client) -> None:
    body = {"model": MODEL, "messages": chat(NEW_PROMPT, f"[1] {SPAN}")}
    assert server.get("/v1/models").json()["data"][0]["id"] == "perfect-reader"
    whole = server.post("/v1/chat/completions", json=body).json()
    assert whole["choices"][0]["message"]["content"] == "25 days [1]."
    streamed = server.post("/v1/chat/completions", json=body | {"stream": True}).text
    events = [line.removeprefix("data: ") for line in streamed.splitlines() if line]
    parts = [json.loads(event)["choices"][0]["delta"] for event in events[:-1]]
    assert "".join(part.get("content", "") for part in parts) == "25 days [1]."
    assert events[-1] == "[DONE]"


def test_it_runs_as_a_script_without_any_environment(golden: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-I", str(SCRIPT), "--golden", str(golden), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "--golden" in done.stdout
