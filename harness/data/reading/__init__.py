"""What the layouts of corpora share: lists, paths, names, commands."""
