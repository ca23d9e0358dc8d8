"""The suites: datasets in, deterministic metrics out."""
