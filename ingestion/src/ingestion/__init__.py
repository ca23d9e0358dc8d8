"""faultline-ingestion."""
