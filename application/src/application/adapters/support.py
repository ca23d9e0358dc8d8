"""`ports.Support` by words and values: it reads, and asks no model."""

from collections.abc import Sequence

from application.excerpts import Excerpt
from application.ports import Judged
from application.support import Source, judge
from application.upstream import Deadline


class WordsAndValues:
    """Judges by `application.support`."""

    async def judge(
        self,
        statement: str,
        question: str,
        excerpts: Sequence[Excerpt],
        named: int,
        deadline: Deadline,
    ) -> Judged:
        """The label of `statement`; costs about a millisecond."""
        sources = [Source(excerpt.text, excerpt.lead) for excerpt in excerpts]
        found = judge(statement, question, sources, named)
        return Judged(found.label, found.sources)
