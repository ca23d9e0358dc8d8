"""Drills: faults put in through public surfaces, to learn whether the watcher names the layer."""
