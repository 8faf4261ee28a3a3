"""Costs of an entry (memory, time, energy, multiply-adds) and the machine they belong to."""
