"""What a filter may say, how it is read, and what is told of one that cannot be read."""

from typing import Any

import pytest
from pydantic import ValidationError

from contracts.filters import Filters
from contracts.index import MOST_FOLDERS, path_tree, tag_of


@pytest.mark.parametrize(
    ("path", "tree"),
    [
        ("a.md", ("a.md",)),
        ("a/b/c.md", ("a/", "a/b/", "a/b/c.md")),
        ("a//b", ("a/", "a//", "a//b")),
        ("/a", ("/", "/a")),
    ],
)
def test_a_path_stands_beside_every_folder_above_it(path: str, tree: tuple[str, ...]) -> None:
    assert path_tree(path) == tree


def test_the_folders_of_a_very_deep_path_are_few_and_end_with_the_path() -> None:
    path = "a/" * 1000 + "b.md"
    assert len(path_tree(path)) == MOST_FOLDERS + 1
    assert path_tree(path)[-1] == path


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"colour": "red"}, "no field 'colour'; use some of sources, namespaces, tags, path"),
    ({"updated_after": "soon"}, "YYYY-MM-DD"),
    ({"updated_after": "2026"}, "YYYY-MM-DD"),
    ({"updated_after": 1767225600}, "YYYY-MM-DD"),
    ({"updated_after": "2026-02-30"}, "day value is outside"),
    ({"updated_before": "2026-01-01T00:00:00Z"}, "YYYY-MM-DD"),
    ({"updated_after": "2026-01-02", "updated_before": "2026-01-02"}, "earlier day"),
    ({"sources": []}, "at least 1 item"),
    ({"tags": ["a"] * 51}, "at most 50 items"),
    ({"tags": ["  "]}, "a tag is blank"),
    ({"sources": ["a" * 201]}, "at most 200 characters"),
    ({"sources": [""]}, "at least 1 character"),
    ({"namespaces": [1]}, "valid string"),
    ({"path": ""}, "at least 1 character"),
    ({"path": "a" * 1001}, "at most 1000 characters"),
    ({"path": "a/" * 33}, "at most 32 levels"),
    ({"path": "a/" * 32 + "b"}, "at most 32 levels"),
]


@pytest.mark.parametrize(("given", "said"), REFUSED)
def test_a_filter_that_cannot_be_read_says_what_to_write(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Filters.model_validate(given)
    assert said in raised.value.errors()[0]["msg"]


def test_tags_are_compared_as_they_are_stored() -> None:
    assert Filters(tags=[" Straße ", "POLICY"]).tags == [tag_of("strasse"), "policy"]


def test_one_text_stands_for_a_list_of_one() -> None:
    assert Filters.model_validate({"sources": "wiki"}) == Filters(sources=["wiki"])


def test_the_deepest_folder_that_may_be_named_is_found_in_the_tree() -> None:
    path = "a/" * MOST_FOLDERS
    assert Filters(path=path).path in path_tree(f"{path}b/c.md")
