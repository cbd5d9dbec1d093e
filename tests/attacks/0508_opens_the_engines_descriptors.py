"""Opens a file that the engine has open, and that has no name any more, through /proc."""

MUST = {"forbidden", "crashed"}
WATCH = {"secrets"}
LAYERS = ("namespaces", "landlock", "user")


def attack(world):
    with open(f"/proc/{world['engine']}/fd/{world['open']}") as file:
        return file.read()
