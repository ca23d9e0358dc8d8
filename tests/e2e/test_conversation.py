"""The page's conversations: history, reload, copies, feedback, marks, themes and the key."""

import json

import pytest

pytest.importorskip("playwright", reason="the page's tests need playwright")

from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e

THREE_SOURCES = "What may a hotel in Port Ellery cost in July, and how do I book it?"
FOLLOW_UP = "And in December?"
TABLE = "Show me the travel limits of each tier"
UNSUPPORTED = "Does the warranty of a Sluice 8 cover damage by rats?"


def ask(page: Page, question: str) -> None:
    page.locator("#question").fill(question)
    page.locator("#question").press("Enter")
    expect(page.locator("#answer h2")).to_have_text(question)
    page.locator("#answer article:not([data-state=running])").wait_for()


def sent(page: Page, replay: str) -> dict[str, list]:
    return page.request.get(f"{replay}/received").json()


def test_a_follow_up_is_sent_with_what_was_said_and_shows_what_was_searched(page, replay):
    page.goto(replay)
    ask(page, THREE_SOURCES)
    ask(page, FOLLOW_UP)
    history = sent(page, replay)["histories"][-1]
    assert history[0] == THREE_SOURCES
    assert history[1].startswith("Up to **€118 per night**")
    expect(page.locator("#answer")).to_contain_text(
        "Searched as: What may a hotel in Port Ellery cost in December?"
    )
    expect(page.locator("#thread h2")).to_have_text(THREE_SOURCES)


def test_a_conversation_survives_a_reload_and_goes_on(page, replay):
    page.goto(replay)
    ask(page, THREE_SOURCES)
    ask(page, FOLLOW_UP)
    page.reload()
    expect(page.locator("#thread h2")).to_have_text(THREE_SOURCES)
    expect(page.locator("#answer h2")).to_have_text(FOLLOW_UP)
    ask(page, TABLE)
    assert len(sent(page, replay)["histories"][-1]) == 4


def test_a_new_conversation_has_no_history_and_the_old_one_can_be_opened(page, replay):
    page.goto(replay)
    ask(page, THREE_SOURCES)
    page.get_by_role("button", name="New conversation").first.click()
    expect(page.get_by_role("heading", name="Ask the documents")).to_be_visible()
    ask(page, TABLE)
    assert sent(page, replay)["histories"][-1] == []
    page.get_by_role("navigation", name="Conversations").get_by_text(THREE_SOURCES).click()
    expect(page.locator("#answer h2")).to_have_text(THREE_SOURCES)


def test_conversations_of_another_key_are_not_shown(page, replay):
    page.goto(f"{replay}/#key=first")
    ask(page, THREE_SOURCES)
    page.goto("about:blank")
    page.goto(f"{replay}/#key=second")
    expect(page.get_by_role("heading", name="Ask the documents")).to_be_visible()
    expect(page.get_by_text(THREE_SOURCES)).to_have_count(0)


@pytest.mark.parametrize(
    "kept",
    ["no JSON", "{}", '[{"id": "x"}]', "[null]", '[{"id": "x", "turns": [{"question": "q"}]}]'],
)
def test_a_page_whose_stored_conversations_are_broken_starts_empty(page, replay, kept):
    page.goto(replay)
    page.evaluate("(kept) => localStorage.setItem('faultline-conversations', kept)", kept)
    page.evaluate("sessionStorage.setItem('faultline-current', 'x')")
    page.reload()
    ask(page, TABLE)
    expect(page.locator("#answer .headline")).to_contain_text("Answered")


def test_an_answer_is_copied_with_its_sources(page, replay):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(replay)
    ask(page, THREE_SOURCES)
    page.get_by_role("button", name="Copy answer").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(THREE_SOURCES)
    assert "[3] Expenses (handbook/expenses.md)" in copied


def test_a_vote_is_sent_with_its_comment(page, replay):
    page.goto(replay)
    ask(page, THREE_SOURCES)
    page.get_by_role("button", name="Not helpful").click()
    page.get_by_label("Comment on this answer").fill("The year is missing")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Thank you")).to_be_visible()
    vote = sent(page, replay)["feedback"][-1]
    assert (vote["vote"], vote["comment"]) == ("down", "The year is missing")


def test_tables_are_drawn_as_tables_in_answers_sources_and_documents(page, replay):
    page.goto(replay)
    ask(page, TABLE)
    expect(page.locator("#answer .text tr")).to_have_count(5)
    names = page.locator("#answer .sources th")
    expect(names.first).to_have_text("Tier")  # from the passage, the quotation has no header
    page.locator("#answer .marker").first.click()
    expect(page.locator("#document tr:has(mark)")).to_have_count(4)
    expect(page.locator("#document-text")).not_to_contain_text("| A |")


def test_statements_without_support_are_tagged_in_words(page, replay):
    page.goto(replay)
    ask(page, UNSUPPORTED)
    marked = page.locator("#answer mark.unsupported")
    expect(marked).to_have_text("Customers of the Critical plan are exempt from this rule.")
    expect(page.locator("mark.unsupported + .tag")).to_have_text("no source")
    expect(page.locator("mark.contradicted + .tag")).to_have_text("contradicted")
    expect(page.locator("#answer")).to_contain_text("no passage found says it")
    expect(page.locator("#answer strong").first).to_have_text("excludes")


@pytest.mark.parametrize(
    ("text", "statement", "drawn"),
    [
        ("- **One** thing.\n- Two *things*.", "- **One** thing.", "One thing."),
        ("1. First.\n2. Second one.", "2. Second one.", "Second one."),
        ("| a | b |\n| --- | --- |\n| 1 | two |", "| 1 | two |", "1two"),
        ("See [it](https://outside.example/x).", "See [it](https://outside.example/x).",
         "See [it](https://outside.example/x)."),
        ("`a < b` holds. It rains.", "`a < b` holds.", "a < b holds."),
        ("```python\nprint(1)\n```", "```python\nprint(1)\n```", "```python\nprint(1)\n```"),
    ],
)  # fmt: skip
def test_an_unsupported_statement_is_marked_whatever_markdown_it_is(
    page, replay, text, statement, drawn
):
    def change(route):
        answer = route.fetch().text().replace("\r", "")
        answer = json.loads(answer.split("event: answer\ndata: ")[1].split("\n")[0])
        answer |= {"text": text, "citations": []}
        answer["statements"] = [{"text": statement, "support": "unsupported", "citations": []}]
        body = f"event: answer\ndata: {json.dumps(answer)}\n\n"
        route.fulfill(status=200, content_type="text/event-stream", body=body)

    page.route("**/v1/ask", change)
    page.goto(replay)
    ask(page, "answered")
    marked = page.locator("#answer mark.unsupported").all_text_contents()
    assert "".join(marked).strip("`\n") == drawn.strip("`\n")


def test_thanks_are_not_called_an_answer_from_the_documents(page, replay):
    page.goto(replay)
    ask(page, "thanks")
    expect(page.locator("#answer .headline")).to_have_text("Nothing to look up")
    expect(page.locator("#answer")).not_to_contain_text("No passage was found")


def test_the_readers_colours_win_over_the_systems_and_stay(page, replay):
    paper = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="dark")
    page.goto(replay)
    dark = page.evaluate(paper)
    page.get_by_role("button", name="Colours: as the system").click()
    page.get_by_role("button", name="Colours: light").wait_for()
    assert page.evaluate(paper) != dark
    page.reload()
    expect(page.get_by_role("button", name="Colours: light")).to_be_visible()


def test_a_locked_application_asks_for_the_key_before_the_first_question(page, replay):
    page.route("**/v1/status", lambda route: route.fulfill(status=401, json={"detail": "no key"}))
    page.goto(replay)
    expect(page.get_by_label("API key")).to_be_focused()
    page.keyboard.type("replay-key")
    page.keyboard.press("Enter")
    expect(page.locator("#question")).to_be_focused()
    ask(page, "locked")
    expect(page.locator("#answer .headline")).to_contain_text("Answered")
