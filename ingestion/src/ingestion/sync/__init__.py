"""One sync: what to do, in which order, under which guards."""
