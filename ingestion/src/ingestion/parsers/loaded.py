"""Importing this loads every parser, so that a process forked afterwards has them."""

from ingestion.parsers import NAMES, parser_of

for _name in NAMES:
    parser_of(_name)
