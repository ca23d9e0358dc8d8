import json
from pathlib import Path

import pytest
from tests.fakes.application import BUNDLE

from application.bundle import Bundle, BundleStore, load_bundle
from application.errors import Misconfigured, NotFound
from application.prompts import load_prompt
from application.settings import PACKAGE


def other_bundle() -> Bundle:
    retrieval = BUNDLE.retrieval.model_copy(update={"top_k": 7})
    return BUNDLE.model_copy(update={"retrieval": retrieval})


def test_the_digest_changes_with_any_setting_and_with_nothing_else() -> None:
    assert load_bundle(PACKAGE / "bundle.toml").digest == BUNDLE.digest
    assert other_bundle().digest != BUNDLE.digest


def test_the_live_bundle_is_stored_so_that_it_can_answer_again_later(tmp_path: Path) -> None:
    BundleStore(tmp_path, other_bundle())
    later = BundleStore(tmp_path, BUNDLE)
    assert later.get(other_bundle().digest) == other_bundle()


def test_a_bundle_that_was_altered_on_disk_is_not_used(tmp_path: Path) -> None:
    BundleStore(tmp_path, other_bundle())
    path = tmp_path / f"{other_bundle().digest}.json"
    altered = json.loads(path.read_text())
    altered["retrieval"]["top_k"] = 1
    path.write_text(json.dumps(altered))
    with pytest.raises(NotFound, match="altered"):
        BundleStore(tmp_path, BUNDLE).get(other_bundle().digest)


@pytest.mark.parametrize("digest", ["0123456789abcdef", "../secrets/keys", ""])
def test_an_unknown_bundle_is_not_found_and_names_no_path(tmp_path: Path, digest: str) -> None:
    with pytest.raises(NotFound):
        BundleStore(tmp_path, BUNDLE).get(digest)


def test_settings_are_reported_flat() -> None:
    assert BUNDLE.settings["retrieval.top_k"] == BUNDLE.retrieval.top_k
    assert BUNDLE.settings["sampling.temperature"] == 0.0


def prompt_file(folder: Path, body: str, variables: str = "[question]") -> Path:
    head = f"---\npurpose: test\nvariables: {variables}\nchanged: first\n---\n"
    (folder / "answer.v9.md").write_text(head + body)
    return folder


def test_a_prompt_is_its_messages_in_order(tmp_path: Path) -> None:
    folder = prompt_file(tmp_path, "# system\nBe brief.\n# passage\n- x\n# user\nQ: {question}\n")
    prompt = load_prompt(folder, "answer", "v9")
    assert [(m.role, m.text) for m in prompt.messages] == [
        ("system", "Be brief."),
        ("user", "Q: {question}"),
    ]


@pytest.mark.parametrize(
    ("body", "variables"),
    [
        ("# system\nx\n# passage\n-\n# user\n{question} {more}\n", "[question]"),
        ("# system\nx\n# passage\n-\n# user\nno variable\n", "[question]"),
        ("# system\nx\n# user\n{question}\n", "[question]"),
    ],
    ids=["undeclared variable", "unused variable", "no passage"],
)
def test_a_prompt_that_is_not_whole_is_refused(tmp_path: Path, body: str, variables: str) -> None:
    with pytest.raises(Misconfigured, match=r"answer\.v9\.md"):
        load_prompt(prompt_file(tmp_path, body, variables), "answer", "v9")


def test_a_missing_prompt_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"answer\.v9\.md"):
        load_prompt(tmp_path, "answer", "v9")


def test_a_bundle_with_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bundle.toml"
    path.write_text((PACKAGE / "bundle.toml").read_text() + "\n[retrieval2]\nx = 1\n")
    (tmp_path / "prompts").symlink_to(PACKAGE / "prompts")
    with pytest.raises(Misconfigured, match="retrieval2"):
        load_bundle(path)
