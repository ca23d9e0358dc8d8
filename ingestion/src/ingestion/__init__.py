"""Ingestion, the data layer: from sources of documents to a committed index."""
