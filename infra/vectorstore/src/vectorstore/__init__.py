"""The embedded vector store: what Faultline uses of Qdrant's REST API, over qdrant-edge."""
