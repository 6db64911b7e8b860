"""Which row of a publication continues which agreement (record linkage); pure."""
