"""How a pack is made, kept up to date and looked into."""
