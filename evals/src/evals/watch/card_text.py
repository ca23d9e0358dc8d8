"""The card in words, for a terminal, a file and the Layers page. Pure."""

import json
import re
from collections.abc import Sequence
from datetime import datetime

from rich.markdown import Markdown

from evals.watch.model import Card, Change, Estimate, Switch

_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # would steer a terminal
_MARKUP = re.compile(r"([\\`*<|]|\](?=[(\[:]))")


def readings(switches: Sequence[Switch]) -> list[str]:
    """What each row of the table says, given the rows above it."""
    right = {(row.data, row.application): row.right for row in switches}
    healthy = right.get(("pinned", "pinned"), False)
    said = []
    for row in switches:
        live = [
            n for n, at in (("data", row.data), ("application", row.application)) if at == "live"
        ]
        if not live:
            said.append(
                "only the models are live: " + ("not they" if row.right else "they broke it")
            )
        elif len(live) == 1 and healthy:
            said.append(f"the {live[0]} came live: " + ("not it" if row.right else "it broke it"))
        elif len(live) == 2 and not row.right and sum(right.values()) == 3:
            said.append("what users get: broken only where both are live")
        else:
            said.append("what users get" if len(live) == 2 else f"the {live[0]} came live")
    return said


def prompt_text(prompt: str | None) -> str:
    """A chat request's messages for reading; anything else as it is."""
    try:
        messages = json.loads(prompt or "")["messages"]
        return "\n\n".join(f"{message['role']}: {message['content']}" for message in messages)
    except (ValueError, KeyError, TypeError):
        return prompt or "nothing was sent to the model"


def signed(estimate: Estimate) -> str:
    """E.g. "+0.31 [0.22, 0.40]"."""
    return f"{estimate.value:+.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def as_terminal(card: Card) -> Markdown:
    """For rich's console; the prompts are left out."""
    return Markdown(as_markdown(card, prompts=False), hyperlinks=False)


def as_markdown(card: Card, prompts: bool = True) -> str:
    """The card as CommonMark; what documents and models said can neither format nor link."""
    verdict = card.verdict
    parts = [
        f"# {_line(card.title)}",
        f"**{verdict.status}** in cycle {verdict.cycle}, {_time(verdict.at)}. "
        f"{_line(verdict.reason)}",
    ]
    if card.switches:
        rows = [
            f"| {row.data} | live | {row.application} | {row.score:.2f} | "
            f"{'✓ right' if row.right else '✗ wrong'} | {said} |"
            for row, said in zip(card.switches, readings(card.switches), strict=True)
        ]
        head = "| data | models | application | score | answers | |\n|---|---|---|---|---|---|"
        parts.append("\n".join([head, *rows]))
    shares = [f"{layer} {signed(share)}" for layer, share in verdict.shares.items()]
    hot = [f"{layer}: {', '.join(strata)}" for layer, strata in verdict.hot.items() if strata]
    facts = {
        "Shares of the harm": shares,
        "Strata past the threshold": hot,
        "Where values were lost": [card.ladder] if card.ladder else [],
        "Models": [card.serving_split] if card.serving_split else [],
        "Changed": [change_line(change) for change in card.changes],
        "Agrees": [f"{i.layer}, {i.source}: {i.what}. {i.detail}" for i in card.indicators],
        "To heal": [
            f"revert the {r.layer}, expected {signed(r.expected)}, by: {r.command}"
            for r in card.reverts
        ],
        "Owners": [f"{layer}: {owner}" for layer, owner in card.owners.items()],
    }
    for name, lines in facts.items():
        if lines:
            parts.append("\n".join([f"**{name}**", "", *(f"- {_line(line)}" for line in lines)]))
    for example in card.examples:
        said = f"Expected {example.expected}; it was: {example.before}; it is: {example.after}"
        parts.append(f"### {_line(example.question)}\n\n{_line(said)}\n\n{_line(example.ladder)}")
        if prompts:
            sides = {"before": example.prompt_before, "now": example.prompt_after}
            parts += [f"Prompt {name}:\n\n{_fence(text)}" for name, text in sides.items()]
    return "\n\n".join(parts) + "\n"


def change_line(change: Change) -> str:
    """A change in one line, with both fingerprints and when it was first seen."""
    since = f" since {_time(change.since)}" if change.since else ""
    detail = f". {change.detail}" if change.detail else ""
    return f"{change.layer}, {change.what}{since}: {change.before} -> {change.after}{detail}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _line(text: str) -> str:
    """One line of plain text, whatever it holds."""
    return _MARKUP.sub(r"\\\1", _UNSAFE.sub("", " ".join(text.split())))


def _fence(prompt: str | None) -> str:
    text = _UNSAFE.sub("", prompt_text(prompt))
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
