"""The Layers page: what the watcher knows, for people, programs and Prometheus."""
