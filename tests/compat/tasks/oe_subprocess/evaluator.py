import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading


def _ran(path, n):
    with tempfile.TemporaryDirectory() as folder:
        copied = shutil.copy(path, folder)
        with open(os.path.join(folder, "out.txt"), "w") as out:
            subprocess.run([sys.executable, copied, str(n)], cwd=folder, stdout=out, timeout=20, check=True)
        with open(os.path.join(folder, "out.txt")) as out:
            return sum(json.load(out))


def evaluate(program_path):
    alarmed = threading.current_thread() is threading.main_thread()
    if alarmed:
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.alarm(20)
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        first, second = pool.map(lambda n: _ran(program_path, n), [10, 20])
    if alarmed:
        signal.alarm(0)
    return {"combined_score": first / second, "first": first, "second": second}
