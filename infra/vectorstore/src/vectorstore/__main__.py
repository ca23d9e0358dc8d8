"""Lets `python -m vectorstore` run the command line."""

from vectorstore.cli import app

app()
