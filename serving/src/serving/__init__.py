"""faultline-serving."""
