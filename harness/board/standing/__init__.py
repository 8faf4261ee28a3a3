"""From records to the rows of a table: joined, ranked, named."""
