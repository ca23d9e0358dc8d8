"""The page: ask, read the answer, open what it cites; plain files, no build step."""
