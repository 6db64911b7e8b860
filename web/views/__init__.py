"""The addresses of the site: HTTP in, HTTP out."""
