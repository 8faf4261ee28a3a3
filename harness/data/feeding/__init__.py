"""Inputs of coming steps, made ahead in the background."""
