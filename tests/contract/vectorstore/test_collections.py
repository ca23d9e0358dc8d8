"""Collections and their aliases, as the stock client sees them."""

import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

REFUSED = (UnexpectedResponse, ValueError)  # local mode raises the latter


def points(*ids: int) -> list[models.PointStruct]:
    return [models.PointStruct(id=i, vector={"dense": [1, 0, 0, i]}, payload={}) for i in ids]


def switch(client: QdrantClient, alias: str, target: str) -> None:
    client.update_collection_aliases(
        [
            models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias)),
            models.CreateAliasOperation(
                create_alias=models.CreateAlias(collection_name=target, alias_name=alias)
            ),
        ]
    )


def test_a_created_collection_exists_and_is_listed(client: QdrantClient, empty: str) -> None:
    assert client.collection_exists(empty)
    assert empty in {c.name for c in client.get_collections().collections}


def test_a_collection_that_was_never_made_does_not_exist(client: QdrantClient, name: str) -> None:
    assert not client.collection_exists(name)


def test_a_new_collection_is_empty(client: QdrantClient, empty: str) -> None:
    assert client.get_collection(empty).points_count == 0


def test_info_names_the_dense_vectors_with_size_and_distance(
    client: QdrantClient, empty: str
) -> None:
    params = client.get_collection(empty).config.params.vectors["dense"]
    assert (params.size, params.distance) == (4, models.Distance.COSINE)


def test_info_names_the_sparse_vectors_with_their_modifier(
    client: QdrantClient, empty: str
) -> None:
    params = client.get_collection(empty).config.params.sparse_vectors["sparse"]
    assert params.modifier == models.Modifier.IDF


def test_info_counts_the_points(client: QdrantClient, filled: str) -> None:
    assert client.get_collection(filled).points_count == 6


def test_an_unnamed_vector_is_shown_without_a_name(client: QdrantClient, name: str) -> None:
    client.create_collection(name, models.VectorParams(size=3, distance=models.Distance.DOT))
    assert client.get_collection(name).config.params.vectors.size == 3


def test_a_collection_may_have_no_vectors_at_all(client: QdrantClient, name: str) -> None:
    client.create_collection(name, vectors_config={})
    client.upsert(name, [models.PointStruct(id=1, vector={}, payload={"kind": "manifest"})])
    assert client.retrieve(name, [1], with_vectors=True)[0].payload == {"kind": "manifest"}


def test_creating_a_collection_twice_is_refused(client: QdrantClient, empty: str) -> None:
    with pytest.raises(REFUSED, match="already exists"):
        client.create_collection(empty, vectors_config={})


def test_a_deleted_collection_is_gone(client: QdrantClient, name: str) -> None:
    client.create_collection(name, vectors_config={})
    assert client.delete_collection(name)
    assert not client.collection_exists(name)


def test_a_collection_made_again_under_the_same_name_is_empty(
    client: QdrantClient, filled: str
) -> None:
    client.delete_collection(filled)
    params = models.VectorParams(size=4, distance=models.Distance.COSINE)
    client.create_collection(filled, vectors_config={"dense": params})
    assert client.count(filled).count == 0


def test_deleting_what_is_not_there_says_so(client: QdrantClient, name: str) -> None:
    assert client.delete_collection(name) is False


def test_an_unknown_collection_is_named_in_the_error(client: QdrantClient, name: str) -> None:
    with pytest.raises(REFUSED, match=name):
        client.count(name)


@pytest.mark.memory_differs("it has no payload indexes")
@pytest.mark.parametrize(
    "kind", ["keyword", "integer", "float", "bool", "datetime", "uuid", "text", "geo"]
)
def test_a_payload_index_is_shown_with_its_type(
    client: QdrantClient, empty: str, kind: str
) -> None:
    client.create_payload_index(empty, "field", models.PayloadSchemaType(kind), wait=True)
    assert client.get_collection(empty).payload_schema["field"].data_type == kind


@pytest.mark.memory_differs("it has no payload indexes")
def test_a_payload_index_counts_the_points_that_have_the_field(
    client: QdrantClient, filled: str
) -> None:
    client.create_payload_index(filled, "colour", models.PayloadSchemaType.KEYWORD, wait=True)
    assert client.get_collection(filled).payload_schema["colour"].points == 5


@pytest.mark.memory_differs("it takes any type of index without a look at it")
def test_an_index_given_with_parameters_has_their_type(client: QdrantClient, empty: str) -> None:
    params = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
    client.create_payload_index(empty, "tenant", params, wait=True)
    assert client.get_collection(empty).payload_schema["tenant"].data_type == "keyword"


def test_an_alias_reads_the_collection_behind_it(client: QdrantClient, filled: str) -> None:
    switch(client, filled + "-alias", filled)
    assert client.count(filled + "-alias").count == 6


def test_an_alias_writes_the_collection_behind_it(client: QdrantClient, empty: str) -> None:
    switch(client, empty + "-alias", empty)
    client.upsert(empty + "-alias", points(1), wait=True)
    assert client.count(empty).count == 1


@pytest.mark.memory_differs("its collection_exists knows no aliases")
def test_an_alias_exists_as_a_collection(client: QdrantClient, empty: str) -> None:
    switch(client, empty + "-alias", empty)
    assert client.collection_exists(empty + "-alias")


def test_aliases_are_listed_with_their_collections(client: QdrantClient, empty: str) -> None:
    switch(client, empty + "-alias", empty)
    listed = {a.alias_name: a.collection_name for a in client.get_aliases().aliases}
    assert listed[empty + "-alias"] == empty


def test_the_aliases_of_one_collection_are_listed(client: QdrantClient, empty: str) -> None:
    switch(client, empty + "-alias", empty)
    [alias] = client.get_collection_aliases(empty).aliases
    assert alias.alias_name == empty + "-alias"


def test_an_alias_is_switched_to_another_collection_in_one_call(
    client: QdrantClient, filled: str
) -> None:
    other, alias = filled + "-new", filled + "-alias"
    client.create_collection(other, vectors_config={})
    switch(client, alias, filled)
    switch(client, alias, other)
    assert client.count(alias).count == 0


def test_two_aliases_are_switched_in_one_call(client: QdrantClient, empty: str) -> None:
    names = [empty + "-a", empty + "-b"]
    client.update_collection_aliases(
        [
            models.CreateAliasOperation(
                create_alias=models.CreateAlias(collection_name=empty, alias_name=alias)
            )
            for alias in names
        ]
    )
    aliases = client.get_collection_aliases(empty).aliases
    assert sorted(a.alias_name for a in aliases) == names


def test_an_alias_can_be_renamed(client: QdrantClient, empty: str) -> None:
    switch(client, empty + "-old", empty)
    rename = models.RenameAlias(old_alias_name=empty + "-old", new_alias_name=empty + "-new")
    client.update_collection_aliases([models.RenameAliasOperation(rename_alias=rename)])
    [alias] = client.get_collection_aliases(empty).aliases
    assert alias.alias_name == empty + "-new"


@pytest.mark.memory_differs("it applies the actions before the one that fails")
def test_a_switch_with_one_bad_action_changes_nothing(client: QdrantClient, filled: str) -> None:
    alias = filled + "-alias"
    switch(client, alias, filled)
    with pytest.raises(REFUSED, match="nowhere"):
        switch(client, alias, "nowhere")
    assert client.count(alias).count == 6


def test_an_alias_of_a_collection_that_is_not_there_is_refused(
    client: QdrantClient, name: str
) -> None:
    with pytest.raises(REFUSED, match=name):
        switch(client, "some-alias", name)


@pytest.mark.memory_differs("it lets an alias hide a collection")
def test_an_alias_cannot_take_the_name_of_a_collection(client: QdrantClient, empty: str) -> None:
    other = empty + "-other"
    client.create_collection(other, vectors_config={})
    with pytest.raises(REFUSED, match="already exists"):
        switch(client, other, empty)


@pytest.mark.memory_differs("it lets a collection hide an alias")
def test_a_collection_cannot_take_the_name_of_an_alias(client: QdrantClient, empty: str) -> None:
    switch(client, empty + "-alias", empty)
    with pytest.raises(REFUSED, match="exists"):
        client.create_collection(empty + "-alias", vectors_config={})


def test_deleting_a_collection_deletes_its_aliases(client: QdrantClient, name: str) -> None:
    client.create_collection(name, vectors_config={})
    switch(client, name + "-alias", name)
    client.delete_collection(name)
    assert name + "-alias" not in {a.alias_name for a in client.get_aliases().aliases}


@pytest.mark.memory_differs("it deletes the collection behind an alias")
def test_an_alias_cannot_delete_the_collection_behind_it(client: QdrantClient, empty: str) -> None:
    switch(client, empty + "-alias", empty)
    client.delete_collection(empty + "-alias")
    assert client.collection_exists(empty)
