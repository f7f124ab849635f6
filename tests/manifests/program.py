"""What the program says of itself: which settings it knows, and what health names a service answers to."""

import json
import os
import re
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

DATABASE = "postgres://user@host/database"


class NotServing(Exception):
    """The process ended before it listened, and said why."""


class Program:
    def __init__(self, path):
        self.path = path
        self.help = self._run("serve", "--help").stdout

    def variables(self):
        return set(re.findall(r"\[env:\s+(\w+)", self.help))

    def default(self, flag):
        """What a flag is when nobody gives it; wrapped help is read too."""
        return re.search(rf"{flag} <.*?\[default:\s+([^\]]+)\]", self.help, re.DOTALL)[1]

    def complains(self, arguments, flags):
        """What the program has against these arguments and these flags; nothing when it takes them."""
        # Help is given only when everything before it was understood.
        told = self._run(*arguments, *(f"{flag}={value}" for flag, value in flags.items()), "--help")
        return told.stderr.strip().splitlines()[0] if told.returncode else ""

    @cache
    def answers(self, arguments, variables, names):
        """Which of these health names a process with these arguments and variables answers to; on SQLite."""
        with tempfile.TemporaryDirectory() as folder:
            port_file = Path(folder, "port")
            mine = {"--listen": "127.0.0.1:0", "--data-dir": folder, "--port-file": str(port_file)}
            kept = [argument for argument in arguments if argument.partition("=")[0] not in mine]
            given = [f"{flag}={value}" for flag, value in mine.items()]
            environment = {name: value for name, value in variables if name != "BAROMETER_DATABASE_URL"}
            process = subprocess.Popen(
                [self.path, *kept, *given],
                env=environment | {"PATH": os.environ["PATH"]},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            try:
                until = time.monotonic() + 30
                while not port_file.exists() and process.poll() is None and time.monotonic() < until:
                    time.sleep(0.02)
                if not port_file.exists():
                    process.kill()
                    raise NotServing(process.stderr.read().decode().strip())
                address = port_file.read_text()
                return {name for name in names if health(address, name)}
            finally:
                process.kill()
                process.wait()

    def _run(self, *arguments):
        return subprocess.run([self.path, *arguments], capture_output=True, text=True)


def health(address, name):
    """The status of a health name (SERVING, NOT_SERVING), or nothing when nobody answers to it."""
    message = json.dumps({"service": name})
    asked = ["grpcurl", "-plaintext", "-max-time", "5", "-d", message, address, "grpc.health.v1.Health/Check"]
    told = subprocess.run(asked, capture_output=True, text=True)
    return json.loads(told.stdout).get("status", "UNKNOWN") if told.returncode == 0 else ""
