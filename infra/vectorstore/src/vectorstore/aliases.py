"""Aliases: other names of collections, changed several at once."""

from collections.abc import Collection
from typing import Any, NamedTuple

from vectorstore.errors import Refused, no_collection
from vectorstore.translate import as_is, each, object_of, one_of


class Create(NamedTuple):
    """An alias, new or moved."""

    alias_name: str
    collection_name: str


class Delete(NamedTuple):
    """An alias that goes, if it is there."""

    alias_name: str


class Rename(NamedTuple):
    """An alias that gets another name."""

    old_alias_name: str
    new_alias_name: str


action = one_of(
    create_alias=object_of(Create, alias_name=as_is, collection_name=as_is),
    delete_alias=object_of(Delete, alias_name=as_is),
    rename_alias=object_of(Rename, old_alias_name=as_is, new_alias_name=as_is),
)
actions = object_of(lambda actions: actions, actions=each(action))


def changed(aliases: dict[str, str], raw: Any, collections: Collection[str]) -> dict[str, str]:
    """Aliases after all of the body's actions; the ones given stay as they are."""
    result = dict(aliases)
    for change in actions(raw, ""):
        match change:
            case Delete(alias):
                result.pop(alias, None)
                continue
            case Create(alias, target):
                pass
            case Rename(old, alias):
                if old not in result:
                    raise Refused(404, f"Not found: Alias {old} does not exist!")
                target = result.pop(old)
        if target not in collections:
            raise no_collection(target)
        if alias in collections:
            raise Refused(409, f"Wrong input: Collection `{alias}` already exists!")
        result[alias] = target
    return result
