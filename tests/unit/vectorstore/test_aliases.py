"""Changes of aliases: all of them or none."""

import pytest

from vectorstore.aliases import changed
from vectorstore.errors import Refused

COLLECTIONS = {"blue", "green"}


def create(alias: str, collection: str) -> dict[str, dict[str, str]]:
    return {"create_alias": {"alias_name": alias, "collection_name": collection}}


def delete(alias: str) -> dict[str, dict[str, str]]:
    return {"delete_alias": {"alias_name": alias}}


def rename(old: str, new: str) -> dict[str, dict[str, str]]:
    return {"rename_alias": {"old_alias_name": old, "new_alias_name": new}}


def test_actions_take_effect_in_their_order() -> None:
    actions = {"actions": [delete("live"), create("live", "green"), rename("live", "now")]}
    assert changed({"live": "blue"}, actions, COLLECTIONS) == {"now": "green"}


def test_deleting_an_alias_that_is_not_there_changes_nothing() -> None:
    assert changed({"a": "blue"}, {"actions": [delete("b")]}, COLLECTIONS) == {"a": "blue"}


@pytest.mark.parametrize(
    ("action", "status"),
    [
        (create("live", "red"), 404),
        (create("green", "blue"), 409),
        (rename("nobody", "live"), 404),
        ({"create_alias": {"alias_name": "live"}}, 422),
        ({"move_alias": {}}, 422),
        ({}, 422),
    ],
)
def test_a_bad_action_is_refused_and_the_aliases_given_stay(action: object, status: int) -> None:
    aliases = {"live": "blue"}
    with pytest.raises(Refused) as caught:
        changed(aliases, {"actions": [delete("live"), action]}, COLLECTIONS)
    assert caught.value.status == status
    assert aliases == {"live": "blue"}
