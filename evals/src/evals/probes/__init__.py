"""Questions whose answers are known: canaries of our own, and goldens on real documents."""
