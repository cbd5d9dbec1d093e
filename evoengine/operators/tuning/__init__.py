"""Numbers of a program as a vector: lifted out, searched, baked back, and frozen from what a program computes."""
