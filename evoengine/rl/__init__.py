"""Test-time reinforcement learning: the values that flow from records to a trainer, and the parts' interfaces."""
