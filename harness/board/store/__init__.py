"""Published records on the disk and in git revisions."""
