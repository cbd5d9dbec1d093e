"""Looking at campaigns and at the engine."""
