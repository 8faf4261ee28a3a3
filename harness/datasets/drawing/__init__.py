"""Drawing trial lists to a size and a difficulty."""
