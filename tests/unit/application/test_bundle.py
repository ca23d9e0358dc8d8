from pathlib import Path
from typing import get_args

import pytest
from tests.fakes.application import BUNDLE
from tests.unit.application.conftest import edit

from application.bundle import Profile, load_bundle
from application.errors import Misconfigured
from application.prompts import Prompt, parse_prompt


def test_the_digest_changes_with_any_setting_and_with_nothing_else(live: Path) -> None:
    edit(live, "# How questions", "# Just how questions")
    assert load_bundle(live).digest == BUNDLE.digest
    edit(live, "top_k = 6", "top_k = 5")
    assert load_bundle(live).digest != BUNDLE.digest


def test_a_profile_changes_what_it_names_and_nothing_else(live: Path) -> None:
    small, tiny = load_bundle(live), load_bundle(live, "tiny")
    assert (small.profile, tiny.profile) == ("small", "tiny")
    assert tiny.retrieval.context_tokens < small.retrieval.context_tokens
    assert tiny.retrieval.top_k == small.retrieval.top_k
    assert (small.prompts["answer"].version, tiny.prompts["answer"].version) == ("v2", "v1")


def test_an_edit_for_another_profile_changes_no_digest(live: Path) -> None:
    edit(live, "context_tokens = 3000", "context_tokens = 4000")
    assert load_bundle(live).digest == BUNDLE.digest
    assert load_bundle(live, "standard").retrieval.context_tokens == 4000


@pytest.mark.parametrize("profile", get_args(Profile))
def test_every_profile_is_a_whole_bundle(live: Path, profile: Profile) -> None:
    assert load_bundle(live, profile).profile == profile


def test_a_table_that_a_profile_misspells_is_refused(live: Path) -> None:
    edit(live, "[profile.tiny.retrieval]", "[profile.tiny.retreival]")
    with pytest.raises(Misconfigured, match="retreival"):
        load_bundle(live, "tiny")


def test_settings_are_reported_flat() -> None:
    assert BUNDLE.settings["retrieval.top_k"] == BUNDLE.retrieval.top_k
    assert BUNDLE.settings["sampling.temperature"] == 0.0


def prompt_of(body: str, variables: str = "[question]") -> Prompt:
    head = f"---\npurpose: test\nvariables: {variables}\nchanged: first\n---\n"
    return parse_prompt(head + body, "answer", "v9")


def test_a_prompt_is_its_messages_in_order() -> None:
    prompt = prompt_of("# system\nBe brief.\n# passage\n- x\n# user\nQ: {question}\n")
    assert [(m.role, m.text) for m in prompt.messages] == [
        ("system", "Be brief."),
        ("user", "Q: {question}"),
    ]


@pytest.mark.parametrize(
    ("body", "variables"),
    [
        ("# system\nx\n# passage\n-\n# user\n{question} {passages}\n", "[question]"),
        ("# system\nx\n# passage\n-\n# user\nno variable\n", "[question]"),
        ("# system\nx\n# user\n{question}\n", "[question]"),
        ("# system\nx\n# passage\n-\n# user\n{question} {mood}\n", "[question, mood]"),
        ("# system\nx\n# passage\n{question}\n# user\n{question}\n", "[question]"),
        ('# system\nSay {"a": 1}\n# passage\n-\n# user\n{question}\n', "[question]"),
        ("# system\nx }\n# passage\n-\n# user\n{question}\n", "[question]"),
        ("# system\nx\n# passage\n-\n# user\n{question:d}\n", "[question]"),
        ("# system\nx\n# passage\n-\n# user\n{question}\n", "[question"),
    ],
    ids=[
        "undeclared variable",
        "unused variable",
        "no passage",
        "variable that nothing fills",
        "variable that a passage has not",
        "plain braces",
        "lone brace",
        "format",
        "broken front matter",
    ],
)
def test_a_prompt_that_is_not_whole_is_refused(body: str, variables: str) -> None:
    with pytest.raises(Misconfigured, match=r"answer\.v9\.md"):
        prompt_of(body, variables)


def test_a_missing_prompt_is_refused_with_its_name(live: Path) -> None:
    edit(live, 'answer = "v2"', 'answer = "v9"')
    with pytest.raises(Misconfigured, match=r"no prompt file answer\.v9\.md"):
        load_bundle(live)


def test_a_prompt_outside_its_folder_is_refused(live: Path) -> None:
    edit(live, 'answer = "v2"', 'answer = "../../secret"')
    with pytest.raises(Misconfigured, match="names no file"):
        load_bundle(live)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[retrieval]", "[retrieval2]", "retrieval2"),
        ("[retrieval]", "[retrieval", "no TOML"),
        ("top_k = 6", "top_k = 0", "top_k"),
        ('answer = "v2"', "", "answer"),
        ('answer = "v2"', "answer = 1", "answer.1.md"),
        ('[prompts]\nanswer = "v2"', "prompts = 3", "prompts|items"),
    ],
)
def test_a_bundle_that_is_not_whole_is_refused(live: Path, old: str, new: str, said: str) -> None:
    edit(live, old, new)
    with pytest.raises(Misconfigured, match=said):
        load_bundle(live)


def test_no_bundle_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        load_bundle(tmp_path / "bundle.toml")
