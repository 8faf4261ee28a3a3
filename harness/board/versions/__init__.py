"""Changes between tables: older protocols, older records, another revision."""
