"""What an operator asks: is it fresh, is it right, where does it come from, take it out."""
