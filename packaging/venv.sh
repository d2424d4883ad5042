#!/bin/sh
# Finds a Python and makes virtual environments: the one place that says which interpreter will do and how a lock
# is taken. The Makefile and install.sh ask it.
#
#   packaging/venv.sh find             print the interpreter: PYTHON if it is set, else the newest that will do
#   packaging/venv.sh make DIR LOCK    make DIR, anew, with what LOCK names
#   packaging/venv.sh stale DIR        say "stale" if PYTHON is set and DIR was made with another interpreter
#
# PYTHON       the interpreter to use
# FOR_SERVICE  not empty: the system's own before those of a user, and none in a home directory, which a service
#              cannot see
set -eu
[ -z "${FOR_SERVICE:-}" ] || PATH=/usr/local/bin:/usr/bin:/bin:$PATH

# Says on one line what is wrong with the interpreter that runs it; nothing if it will do. Also Python 2 reads it.
PROBE='
import os, sys
where = os.path.realpath(sys.executable)
if sys.version_info < (3, 11):
    print("%s is Python %d.%d; 3.11 or newer is needed" % ((where,) + tuple(sys.version_info[:2])))
elif os.environ.get("FOR_SERVICE") and where.startswith(("/root/", "/home/")):
    print("%s lies in a home directory, which a service cannot see" % where)
else:
    try:
        import ensurepip, venv
    except ImportError:
        print("%s cannot make virtual environments; Debian and Ubuntu: apt install python%d.%d-venv"
              % ((where,) + tuple(sys.version_info[:2])))
'

# What is wrong with $1. Fails if it does not run at all, as the shims of pyenv do for a version that is not chosen.
wrong_with() {
	"$1" -c "$PROBE" 2>/dev/null
}

find_python() {
	if [ -n "${PYTHON:-}" ]; then
		fault=$(wrong_with "$PYTHON") || fault="PYTHON=$PYTHON does not run"
		[ -n "$fault" ] || { command -v "$PYTHON" && return; }
		echo "$fault" >&2
		exit 1
	fi
	first=
	for candidate in python3.14 python3.13 python3.12 python3.11 python3; do
		fault=$(wrong_with "$candidate") || continue
		[ -n "$fault" ] || { command -v "$candidate" && return; }
		first=${first:-$fault}
	done
	echo "${first:-Python 3.11 or newer is needed; Debian and Ubuntu: apt install python3-venv}" \
		"(or say which: PYTHON=/path/to/python3)" >&2
	exit 1
}

# Without dependencies: a lock names everything, and before 23.3 pip looks past the pin of a package that another
# one asks for with an extra, finds a newer release, and refuses it for having no hash.
make_venv() {
	directory=$1 lock=$2
	python=$(find_python)
	echo "setting up $directory ($("$python" -V)): fetching $(grep -c '^[a-z].*==' "$lock") packages, a minute the first time"
	"$python" -m venv --clear "$directory"
	# Settings of the user's that only make sense outside of an environment would end it here.
	if ! PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 "$directory/bin/python" -m pip install --quiet \
		--disable-pip-version-check --no-deps --require-hashes -r "$lock"; then
		echo "the packages could not be installed; why stands above. Offline: see docs/installing.md" >&2
		exit 1
	fi
	checked=$("$directory/bin/python" -m pip check --disable-pip-version-check 2>&1) || {
		echo "$checked" >&2
		exit 1
	}
}

is_stale() {
	[ -n "${PYTHON:-}" ] || return 0
	asked=$("$PYTHON" -c 'import os, sys; print(os.path.realpath(sys._base_executable))' 2>/dev/null) || asked=
	[ "$(sed -n 's/^executable = //p' "$1/pyvenv.cfg" 2>/dev/null)" = "$asked" ] || echo stale
}

case ${1:-}:$# in
find:1) find_python ;;
make:3) make_venv "$2" "$3" ;;
stale:2) is_stale "$2" ;;
*)
	echo "usage: $0 find | make DIR LOCK | stale DIR" >&2
	exit 2
	;;
esac
