"""From text to tokens."""


def tokens(text):
    """The tokens of a text: numbers, and signs of one character."""
    found, place = [], 0
    while place < len(text):
        if text[place].isspace():
            place += 1
        elif text[place].isdigit():
            end = place
            while end < len(text) and text[end].isdigit():
                end += 1
            found.append(int(text[place:end]))
            place = end
        else:
            found.append(text[place])
            place += 1
    return found
