"""Trial and score files in the field's formats: read, checked line by line, and joined."""
