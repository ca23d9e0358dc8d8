"""Markup -> Markdown: what the parsers of marked-up formats share."""
