"""The watcher: cycles of probes over four cells, and the verdict that names the layer at fault."""
