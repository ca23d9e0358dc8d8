"""What this host remembers of past runs."""
