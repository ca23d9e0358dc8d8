"""Every model behind an endpoint: the embedder, the chat model, and a manifest of each."""
