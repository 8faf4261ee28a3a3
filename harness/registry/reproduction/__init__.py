"""Records made again: the same job run anew, its result held against the record, and attested."""
