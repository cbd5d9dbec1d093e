"""Looks for secrets, and for whatever the judge keeps, in every object of its process."""

MUST = {"scored"}
OUTPUTS = ([],)
WATCH = {"secrets"}
LAYERS = ("separate processes",)

import gc


def attack(world):
    found = [one for one in gc.get_objects() if isinstance(one, str) and one.startswith("stolen-")]
    for one in gc.get_objects():
        if isinstance(one, dict):
            found += [value for value in list(one.values()) if isinstance(value, str) and value.startswith("stolen-")]
        elif type(one).__module__.startswith(("evoengine.", "problems")):
            found.append(type(one).__qualname__)
    return found
