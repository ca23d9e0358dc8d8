"""faultline-application."""
