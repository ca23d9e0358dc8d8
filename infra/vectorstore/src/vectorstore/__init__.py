"""faultline-vectorstore."""
