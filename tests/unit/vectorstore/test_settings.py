"""Which settings are refused before anything is served."""

import pytest
from pydantic import ValidationError

from vectorstore.settings import Settings


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "store.internal"])
def test_a_host_that_others_can_reach_needs_a_key(host: str) -> None:
    with pytest.raises(ValidationError, match="set VECTORSTORE_API_KEY"):
        Settings(host=host)
    assert Settings(host=host, api_key="k").host == host


def test_a_read_only_key_alone_is_refused() -> None:
    with pytest.raises(ValidationError, match="set VECTORSTORE_API_KEY"):
        Settings(read_only_api_key="k")


def test_an_empty_key_in_the_environment_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VECTORSTORE_API_KEY", "")
    assert Settings().api_key is None


def test_keys_are_not_shown() -> None:
    assert "secret" not in repr(Settings(api_key="secret"))
