#!/bin/sh
# Print the interpreter of the first of the versions named (default: 3.13 3.12 3.11) that runs here:
# on PATH, or in pyenv's folder. Exit code 1 if there is none.
[ $# -gt 0 ] || set -- 3.13 3.12 3.11
for version in "$@"; do
  for python in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python; do
    found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null)
    if [ "$found" = "$version" ]; then
      echo "$python"
      exit 0
    fi
  done
done
echo "camclip needs Python 3.11, 3.12 or 3.13; looked for $* on PATH and in ~/.pyenv/versions." >&2
exit 1
