"""Use of a finished run: two sounds compared, files embedded or classified, networks exported."""
