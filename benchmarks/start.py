"""How long does one wait before journeylab answers: for its help, and for `import journeylab`?

    python benchmarks/start.py [RUNS]          by default 7

Each run starts fresh interpreters, one after the other: the help of the command beside the libraries that draw it, and
`import journeylab` beside the two libraries that every log goes through. Asked for, of the medians: the help takes at
most 3 times as long as `import typer, rich`, and the import at most 1.3 times as long as `import pandas, ibis`. Exits
with 1 where either takes longer.
"""

import os
import subprocess
import sys
import time
from statistics import median

RUNS = 7
COMMAND = "import sys; sys.argv = ['journeylab', '--help']; from journeylab.cli import app; app()"
# What is measured, what beside, and the ratio asked for.
PAIRS = {
    "journeylab --help": (COMMAND, "import typer, rich", 3.0),
    "import journeylab": ("import journeylab", "import pandas, ibis", 1.3),
}


def seconds(code: str) -> float:
    """How long a fresh interpreter takes to run `code`."""
    # Bytecode is written, as it is when a package is installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - begin


def main(runs: int) -> int:
    """Print the medians and their ratios; 1 where one is above what is asked for, else 0."""
    codes = [code for pair in PAIRS.values() for code in pair[:2]]
    # The first run fills the caches of files and bytecode, and does not count.
    times = [[seconds(code) for code in codes] for _ in range(runs + 1)][1:]
    medians = dict(zip(codes, map(median, zip(*times, strict=True)), strict=True))
    is_slow = False
    for name, (code, beside, limit) in PAIRS.items():
        ratio = medians[code] / medians[beside]
        is_slow |= ratio > limit
        print(f"{name}: {ratio:.2f} times “{beside}” (at most {limit:g}); {medians[code]:.2f} s")
    return int(is_slow)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS))
