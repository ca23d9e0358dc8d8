"""faultline-evals."""
