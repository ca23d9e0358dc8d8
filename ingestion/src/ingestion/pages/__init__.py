"""Pages of a PDF: their characters, tables and form fields."""
