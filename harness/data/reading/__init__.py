"""Parts that several layouts of corpora share: lists, paths, item tables, the base class."""
