"""What visitors ask for with forms and signed links."""
