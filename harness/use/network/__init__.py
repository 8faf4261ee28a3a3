"""A finished run's network: built, given files, written for other runtimes. Imports torch."""
