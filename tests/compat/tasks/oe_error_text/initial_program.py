def construct():
    return [0.1, 0.2, "three"]
