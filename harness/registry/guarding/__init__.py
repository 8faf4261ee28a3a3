"""Published files held against records, and records against themselves."""
