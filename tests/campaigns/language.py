"""A script that answers operators' prompts about the problem `peak`: numbers that follow from the seed."""

from __future__ import annotations

import re

from evoengine.types import Prompt


def peak_answers(prompt: Prompt, seed: int) -> str:
    """A whole program, blocks or guidance, as the prompt asks for it; now and then something of no use."""
    system, last = prompt.messages[0]["content"], prompt.messages[-1]["content"]
    if system.startswith("You write guidance"):
        return f"```markdown\nTry {seed % 1000}.\n```"
    if "Do not write code" in last:
        return "It is too flat."
    numbers = [(seed * factor) % 97 / 97 for factor in (3, 5, 7)]
    said = f"HYPOTHESIS: because {seed % 7}\nCHANGE: other numbers\nPREDICTED: {seed % 3}\n"
    if seed % 11 == 0:
        return "I have no idea."
    if seed % 13 == 0:
        return f"{said}```python\ndef numbers():\n    return [1 / 0]\n```"
    if "<<<<<<< SEARCH" in last:
        found = re.findall(r"^    return \[.*\]$", "\n".join(one["content"] for one in prompt.messages), re.MULTILINE)
        return f"{said}<<<<<<< SEARCH\n{found[-1]}\n=======\n    return {numbers}\n>>>>>>> REPLACE\n"
    return f"{said}```python\ndef numbers():\n    return {numbers}\n```\n"
