"""A suite that an oracle asks, and what an oracle must notice."""

import pathlib
import random
import subprocess
import sys
import time

# How long it may take to listen, in seconds.
PATIENCE = 60
# How many that fit are falsified, one at a time, before it is said that nobody notices.
TRIES = 40
ORACLE = pathlib.Path(sys.argv[0]).stem


def must_notice(what, fitting, is_noticed):
    """One of those that fit, picked at random, must be noticed when it is falsified: what becomes of a single one may come to the same."""
    fitting = list(fitting)
    if not fitting:
        sys.exit(f"{ORACLE}: nothing fits to show {what}")
    picked = random.Random(what).sample(fitting, min(TRIES, len(fitting)))
    if not any(is_noticed(one) for one in picked):
        sys.exit(f"{ORACLE}: nobody notices {what}, {len(picked)} times")


class Suite:
    """A running suite with a directory of its own."""

    def __init__(self, program, directory):
        self.program, self.directory = program, directory

    def __enter__(self):
        port = self.directory / "address"
        command = [self.program, "serve", "--data-dir", self.directory / "data", "--listen", "127.0.0.1:0", "--port-file", port]
        self.log = (self.directory / "suite.log").open("w")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while not (port.exists() and port.read_text().strip()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{ORACLE}: the suite does not listen; see {self.log.name}")
            time.sleep(0.05)
        self.address = port.read_text().strip()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def run(self, *arguments):
        command = [self.program, *arguments, "--endpoint", f"http://{self.address}"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{ORACLE}: {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}")
        return done.stdout
