"""What each page says; pure."""
