"""What visitors ask for by a form or a signed link."""
