"""The index in the vector store: what is written, under which lease, and how it is read."""
