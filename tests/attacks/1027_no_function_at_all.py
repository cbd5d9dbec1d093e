"""Is called although what has the name is an object that does whatever it is asked."""

MUST = {"rejected", "crashed", "timed_out", "out_of_memory"}
WATCH = {"after"}
LIMITS = {"cpu_seconds": 0.5}
LAYERS = ("frames",)


class Anything:
    def __getattr__(self, name):
        return self

    def __call__(self, *a, **k):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self


attack = Anything()
