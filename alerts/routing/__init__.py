"""Who is told what, at once or in digests; pure."""
