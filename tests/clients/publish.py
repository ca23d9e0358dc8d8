"""Which clients work unmodified: reads the report of pytest on tests/clients, writes the results.

Run it: make clients
"""

import sys
from pathlib import Path
from xml.etree import ElementTree

from evals.machine import Origin, machine, origin
from evals.results import Result, merge, result
from evals.suite.metrics import Estimate

COMMAND = "make clients"
WHAT = {
    "openai": "the openai client, unmodified: 1 where every test passes",
    "langchain": "LangChain's ChatOpenAI, unmodified: 1 where every test passes",
    "llamaindex": "LlamaIndex's OpenAILike, unmodified: 1 where every test passes",
    "mcp": "the MCP SDK's client over HTTP and stdio: 1 where every test passes",
    "openwebui": "Open WebUI, unmodified: 1 where every test passes; 0 also where it was not run",
}


def client_of(file: str, test: str) -> str:
    """The client that a test drives."""
    if "mcp" in file:
        return "mcp"
    named = [client for client in WHAT if client in test]
    return named[0] if named else "openai"


def passed(report: Path) -> dict[str, list[bool]]:
    """Whether each test of each client passed; a skipped one did not."""
    found: dict[str, list[bool]] = {client: [] for client in WHAT}
    for case in ElementTree.parse(report).iter("testcase"):
        client = client_of(case.get("classname", ""), case.get("name", ""))
        found[client].append(not [*case])
    return found


def figures(report: Path, here: Origin) -> list[Result]:
    """One figure a client."""
    return [
        result(client, WHAT[client], Estimate(works, works, works, len(tests)), here)
        for client, tests in passed(report).items()
        for works in [float(bool(tests) and all(tests))]
    ]


if __name__ == "__main__":
    report, results = map(Path, sys.argv[1:])
    measured_by = origin()
    here = Origin(COMMAND, measured_by.commit, measured_by.date, machine())
    merge(results, figures(report, here))
