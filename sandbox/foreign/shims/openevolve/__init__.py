"""So much of the `openevolve` package as evaluators import."""
