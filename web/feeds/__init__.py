"""The feeds: their scopes, their items, and their formats (Atom, JSON Feed, OPML)."""
