"""Entries computed elsewhere: their files read, judged by the locked lists, and filed."""
