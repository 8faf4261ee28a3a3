"""Records on the disk, and the files that are made of them."""
