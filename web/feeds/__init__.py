"""The items of a feed, and its formats: Atom, JSON Feed, OPML; pure."""
