"""faultline-demo."""
