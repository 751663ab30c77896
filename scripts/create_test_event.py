"""Write event.json, a sample SQS event: `python scripts/create_test_event.py [-p | -n | -o | -t]`.

The options are those of `camclip event`. Without one the event requests an available clip, of the
demo's camera if the demo has been made.
"""

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent


def main(options: list[str]) -> int:
    """Write the file into the working folder; return the command's exit code."""
    inside = TOP / ".venv" / "bin" / "python"
    python = str(inside) if inside.exists() else sys.executable
    if not options and (TOP / "demo" / "recordings").is_dir():
        options = ["-a", "--camera", "pier", "--root", str(TOP / "demo")]
    done = subprocess.run(
        [python, "-m", "entrypoints.cli.app", "event", *options],
        env={**os.environ, "PYTHONPATH": str(TOP)},
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode == 0 and not {"-h", "--help"} & set(options):
        Path("event.json").write_bytes(done.stdout)
    else:
        sys.stdout.buffer.write(done.stdout)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
