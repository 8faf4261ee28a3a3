"""Trial lists and score files in the field's formats, and reports on systems scored on them."""
