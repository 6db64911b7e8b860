"""The pages and forms where visitors subscribe and manage their alerts."""
