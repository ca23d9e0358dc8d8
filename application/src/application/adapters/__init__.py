"""The ports, fulfilled: the only modules that import aiohttp, qdrant-client or LangChain."""
