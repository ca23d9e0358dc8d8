"""Evals: keep the three layers honest, over their public interfaces and commands only."""
