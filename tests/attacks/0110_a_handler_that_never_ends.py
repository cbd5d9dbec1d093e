"""Sets a timer whose handler loops for ever and sets itself again."""

MUST = {"timed_out"}
LIMITS = {"cpu_seconds": 0.3}
LAYERS = ("engine",)

import signal


def attack(world):
    def again(number, frame):
        while True:
            pass

    signal.signal(signal.SIGALRM, again)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    signal.pause()
