"""Other ways to ask than `/v1/ask`: each translates, and hands over to the same use case."""
