""".env is read as python-dotenv reads it, so that make, compose and the layers see one value."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from demo import envfile

VALUES = {
    "LLM_KEY=plain": "plain",
    'LLM_KEY="sk-abc$def#1"': "sk-abc$def#1",
    "LLM_KEY='sk-abc$def#1'": "sk-abc$def#1",
    "LLM_KEY=sk-abc$def#1": "sk-abc$def#1",
    "LLM_KEY=a # a comment": "a",
    "LLM_KEY=a#b": "a#b",
    "LLM_KEY=": "",
    "LLM_KEY= # nothing": "",
    "LLM_KEY=#not a comment": "#not a comment",
    "LLM_KEY=''": "",
    "export LLM_KEY=a": "a",
    "  LLM_KEY = a b  ": "a b",
    "LLM_KEY=100%": "100%",
    "LLM_KEY=$(shell touch planted)": "$(shell touch planted)",
    "LLM_KEY=`touch planted`": "`touch planted`",
    'LLM_KEY={"a": "b"}': '{"a": "b"}',
    'LLM_KEY="a\\"b\\n"  # c': 'a"b\n',
    "LLM_KEY='it\\'s'": "it's",
    'LLM_KEY="two\nlines"': "two\nlines",
    "LLM_KEY=a\r\nOTHER=b": "a",
    "OTHER=x\nLLM_KEY=${OTHER}y${NONE:-z}": "xyz",
    "LLM_KEY=caf\u00e9 \u4e2d": "caf\u00e9 \u4e2d",
}


@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_a_value_is_what_python_dotenv_reads(text: str, value: str) -> None:
    found, wrong = envfile.read(text, {})
    assert found["LLM_KEY"] == value
    assert dotenv_values(stream=io.StringIO(text))["LLM_KEY"] == value
    assert not wrong


# Names and values of ordinary lines, in any order; None is a name without `=`.
PIECES = st.text(st.sampled_from("aB1_ =#$'\"\\n\n{}:-%`()\t"), max_size=30)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on busy machines
@given(PIECES)
@example('A="x" # y')
@example("A='x'\n\nB")
@example("A=\nB=${A}${C:-d}")
@example('A="x\n y" z\nB=1')
def test_any_text_is_read_as_python_dotenv_reads_it(text: str) -> None:
    theirs = dotenv_values(stream=io.StringIO(text))
    found, _ = envfile.read(text, dict(os.environ))
    assert found == {name: value for name, value in theirs.items() if value is not None}


def test_a_line_that_is_no_setting_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER", "theirs")
    file = tmp_path / ".env"
    file.write_text('A_NAME=1\nlite leaves = "x\nOTHER=ours\n')
    monkeypatch.delenv("A_NAME", raising=False)
    envfile.load(file)
    assert os.environ.pop("A_NAME") == "1"
    assert os.environ["OTHER"] == "theirs"  # what the shell says comes first
    assert f"{file}, line 2 is not NAME=value" in capsys.readouterr().err


def test_a_command_runs_with_the_files_variables(tmp_path: Path) -> None:
    script = tmp_path / "a" / "b" / "c" / "d" / "envfile.py"
    script.parent.mkdir(parents=True)
    script.write_text(Path(envfile.__file__).read_text())
    (tmp_path / ".env").write_text('LLM_KEY="sk-abc$def#1"\n')
    code = "import os; print(os.environ['LLM_KEY'])"
    env = {name: value for name, value in os.environ.items() if name != "LLM_KEY"}
    command = [sys.executable, str(script), sys.executable, "-c", code]
    printed = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    assert printed == "sk-abc$def#1\n"
