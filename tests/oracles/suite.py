"""A suite that an oracle asks, and what an oracle must notice."""

import pathlib
import random
import re
import subprocess
import sys
import time

# How long it may take to come up, in seconds.
PATIENCE = 120
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


def conclude(wrong, few):
    """Ends the program when something differs, or when too little of some kinds was compared."""
    for line in wrong[:20]:
        print(f"  {line}")
    if wrong:
        sys.exit(1)
    if few:
        sys.exit(f"{ORACLE}: too little was compared of {', '.join(few)}")


class Suite:
    """A running suite with a directory of its own."""

    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        self.port_file = directory / "address"
        self.command = [program, "serve", "--data-dir", directory / "data", "--listen", "127.0.0.1:0", "--port-file", self.port_file]

    def __enter__(self):
        path = self.directory / "suite.log"
        self.log = path.open("w")
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while not (address := self.find_address()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                sys.exit(f"{ORACLE}: the suite does not come up; see {path}")
            time.sleep(0.05)
        self.address = address
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def find_address(self):
        """Where it listens, once it does."""
        return self.port_file.read_text().strip() if self.port_file.exists() else None

    def run(self, *arguments):
        command = [self.program, *arguments, "--endpoint", f"http://{self.address}"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{ORACLE}: {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}")
        return done.stdout


class Simulated(Suite):
    """A running suite with a simulated company of so many customers, of a seed, until a day."""

    def __init__(self, program, directory, customers, seed, until):
        super().__init__(program, directory)
        self.command = [program, "demo", "--listen", "127.0.0.1:0", "--ascii", "--customers", str(customers), "--seed", str(seed),
                        "--until", until]

    def find_address(self):
        told = (self.directory / "suite.log").read_text()
        return re.search(r"http://(127\.0\.0\.1:\d+)", told).group(1) if "It stays up" in told else None
