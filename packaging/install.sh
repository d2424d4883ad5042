#!/bin/sh
# Installs teleport-email into a virtual environment of its own, or takes it away again.
#
#   packaging/install.sh install|uninstall      (or: make install, make uninstall)
#
# PREFIX   where to (default /usr/local)
# DESTDIR  put in front of every path, for building packages
# PYTHON   the interpreter to run on (default: the newest of 3.11 and later)
set -eu
umask 022 # the service's user must be able to read what root installs

PREFIX=${PREFIX:-/usr/local}
DESTDIR=${DESTDIR:-}
root=$DESTDIR$PREFIX
home=$PREFIX/lib/teleport-email
cd "$(dirname "$0")/.."

find_python() {
	for candidate in ${PYTHON:-} python3.14 python3.13 python3.12 python3.11 python3; do
		if "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
			"$candidate" -c 'import sys; print(sys.executable)'
			return
		fi
	done
	echo "Python 3.11 or newer with its venv module is needed (Debian: apt install python3-venv);" \
		"say which: make install PYTHON=/path/to/python3" >&2
	exit 1
}

install_all() {
	python=$(find_python)
	build=$(mktemp -d)
	trap 'rm -rf "$build"' EXIT
	echo "installing into $root"
	case $python in /root/* | /home/*)
		echo "note: $python lies in a home directory, which the service cannot see; better PYTHON=/usr/bin/python3" >&2
		;;
	esac

	# The build tool stays out of what is installed; every package is checked against its hash.
	"$python" -m venv "$build/venv"
	"$build/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		-r requirements/build.txt
	"$build/venv/bin/python" -m pip wheel --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --wheel-dir "$build" .

	rm -rf "$DESTDIR$home"
	mkdir -p "$DESTDIR$home"
	"$python" -m venv "$DESTDIR$home"
	"$DESTDIR$home/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		-r requirements/runtime.txt
	"$DESTDIR$home/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$build"/*.whl
	"$DESTDIR$home/bin/python" -m pip uninstall --quiet --yes --disable-pip-version-check setuptools pip 2>/dev/null
	# Scripts have the path of this very place in them, which DESTDIR makes wrong. Only python stays.
	find "$DESTDIR$home/bin" -type f ! -name 'python*' -exec rm {} +

	# -I: neither the current directory nor PYTHON* variables may change what runs.
	mkdir -p "$root/bin"
	printf '#!/bin/sh\nexec %s/bin/python -I -m teleport_email "$@"\n' "$home" >"$root/bin/teleport-email"
	chmod 755 "$root/bin/teleport-email"

	install -D -m 644 packaging/systemd/teleport-email.service \
		"$root/lib/systemd/system/teleport-email.service"
	sed -i "s#/usr/local/bin/#$PREFIX/bin/#" "$root/lib/systemd/system/teleport-email.service"
	install -D -m 644 packaging/systemd/teleport-email.sysusers.conf "$root/lib/sysusers.d/teleport-email.conf"
	install -D -m 644 packaging/man/teleport-email.1 "$root/share/man/man1/teleport-email.1"
	install -D -m 644 packaging/man/teleport-email.toml.5 "$root/share/man/man5/teleport-email.toml.5"
	install -D -m 644 examples/teleport-email.toml "$root/share/doc/teleport-email/teleport-email.toml"
	install -D -m 644 packaging/logrotate/teleport-email "$root/share/doc/teleport-email/logrotate"

	if [ -z "$DESTDIR" ] && [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then
		systemd-sysusers "$root/lib/sysusers.d/teleport-email.conf"
		systemctl daemon-reload
	fi
	echo "done; next: $PREFIX/bin/teleport-email configure > /etc/teleport-email.toml, fill it in, and" \
		"$PREFIX/bin/teleport-email check"
}

uninstall_all() {
	if [ -z "$DESTDIR" ] && [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then
		systemctl disable --now teleport-email.service 2>/dev/null || true
	fi
	rm -rf "$DESTDIR$home" "$root/share/doc/teleport-email"
	rm -f "$root/bin/teleport-email" "$root/lib/systemd/system/teleport-email.service" \
		"$root/lib/sysusers.d/teleport-email.conf" "$root/share/man/man1/teleport-email.1" \
		"$root/share/man/man5/teleport-email.toml.5"
	if [ -z "$DESTDIR" ] && [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then
		systemctl daemon-reload
	fi
	echo "gone; configuration, state and the user teleport-email are left as they are"
}

case ${1:-} in
install) install_all ;;
uninstall) uninstall_all ;;
*)
	echo "usage: $0 install|uninstall" >&2
	exit 2
	;;
esac
