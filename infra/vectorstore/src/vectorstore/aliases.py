"""Aliases: other names of collections, changed several at once."""

from collections.abc import Collection
from typing import Any

from vectorstore.errors import Refused, no_collection
from vectorstore.translate import as_is, each, object_of, one_of

action = one_of(
    create_alias=object_of(dict, alias_name=as_is, collection_name=as_is),
    delete_alias=object_of(dict, alias_name=as_is),
    rename_alias=object_of(dict, old_alias_name=as_is, new_alias_name=as_is),
)
body = object_of(dict, actions=each(action))


def changed(aliases: dict[str, str], raw: Any, collections: Collection[str]) -> dict[str, str]:
    """Aliases after all of the body's actions; the ones given stay as they are."""
    result = dict(aliases)
    for fields in body(raw, "")["actions"]:
        match fields:
            case {"alias_name": alias, "collection_name": target}:
                pass
            case {"old_alias_name": old, "new_alias_name": alias} if old in result:
                target = result.pop(old)
            case {"alias_name": alias}:
                result.pop(alias, None)
                continue
            case _:
                raise Refused(404, f"Not found: no alias to change in {fields}")
        if target not in collections:
            raise no_collection(target)
        if alias in collections:
            raise Refused(409, f"Wrong input: Collection `{alias}` already exists!")
        result[alias] = target
    return result
