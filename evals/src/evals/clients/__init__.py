"""The layers as evals reach them: an HTTP API, a command, a vector store's REST API."""
