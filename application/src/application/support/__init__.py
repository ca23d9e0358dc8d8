"""Whether sources say what a statement says. It is decided by words and values alone: no model.

Reads both as terms with a polarity, values with units and limits, and clauses with what they allow
or demand (`reading.py`), and compares them (`compare.py`).
"""

from application.support.judge import Judgement, Label, Source, judge

__all__ = ["Judgement", "Label", "Source", "judge"]
