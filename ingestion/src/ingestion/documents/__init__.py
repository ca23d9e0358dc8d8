"""One document: read within limits, checked, cut into chunks, compared with the others."""
