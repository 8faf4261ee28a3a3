"""Tables in words: as grids with notes, as Markdown, as JSON, for a terminal."""
