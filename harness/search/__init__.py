"""Plans of several calls: a recipe's settings swept, and which runs would answer a question."""
