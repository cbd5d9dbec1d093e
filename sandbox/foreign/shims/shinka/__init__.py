"""So much of the `shinka` package as evaluators import."""
