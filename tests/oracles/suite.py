"""A suite that an oracle asks."""

import pathlib
import subprocess
import sys
import time

# How long it may take to listen, in seconds.
PATIENCE = 60
ORACLE = pathlib.Path(sys.argv[0]).stem


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
