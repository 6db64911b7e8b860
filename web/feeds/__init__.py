"""What the feeds are about, their items, and their formats: Atom, JSON Feed, OPML."""
