"""What changed between tables: older protocols, older records, another revision."""
