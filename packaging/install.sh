#!/bin/sh
# Installs teleport-email into a virtual environment of its own, or takes it away again.
#
#   packaging/install.sh install|uninstall      (or: make install, make uninstall)
#
# PREFIX   where to (default /usr/local)
# DESTDIR  put in front of every path, for building packages; the same source then gives the same bytes
# PYTHON   the interpreter to run on (default: the newest of 3.11 and later outside of home directories)
set -eu
umask 022 # the service's user must be able to read what root installs

PREFIX=${PREFIX:-/usr/local}
DESTDIR=${DESTDIR:-}
root=$DESTDIR$PREFIX
home=$PREFIX/lib/teleport-email
old=$DESTDIR$home.old
new=$DESTDIR$home.new
cd "$(dirname "$0")/.."

# A wheel of this checkout. The build tool stays out of what is installed.
build_wheel() {
	build=$(mktemp -d)
	trap 'rm -rf "$build" "$new"; rm -f src/teleport_email/_commit' EXIT
	trap 'exit 1' HUP INT TERM
	git rev-parse HEAD >src/teleport_email/_commit 2>/dev/null || rm -f src/teleport_email/_commit
	packaging/venv.sh make "$build/venv" requirements/build.txt
	"$build/venv/bin/python" -m pip wheel --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --wheel-dir "$build" .
}

# The whole program beside the old one. Nothing in it may say where it was built: it runs elsewhere, and packages
# are checked for such paths.
build_program() {
	packaging/venv.sh make "$new" requirements/runtime.txt
	"$new/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile "$build"/*.whl
	"$new/bin/python" -m pip check --disable-pip-version-check >/dev/null
	"$new/bin/python" -m pip uninstall --quiet --yes --disable-pip-version-check setuptools pip 2>/dev/null
	# Scripts have the path of this very place in them. Only python stays.
	find "$new/bin" -type f ! -name 'python*' -exec rm {} +
	sed -i '/^command = /d' "$new/pyvenv.cfg"
	find "$new" -name direct_url.json -exec rm {} +
	find "$new" -name RECORD -exec sed -i '/direct_url\.json/d; /\.pyc,/d; /^\.\.\/\.\.\/\.\.\/bin\//d' {} +
	find "$new" -name __pycache__ -prune -exec rm -r {} +
	# By their content and not by their time, which a package may change.
	"$new/bin/python" -I -m compileall -q -j 1 --invalidation-mode unchecked-hash \
		-s "$new" -p "$home" "$new/lib" >/dev/null
	"$new/bin/python" -I -m teleport_email version >/dev/null # what does not run takes no one's place
}

# Old and new change places by two renames. What an interruption between them left is put right first.
swap() {
	rm -rf "$old"
	[ ! -e "$DESTDIR$home" ] || mv "$DESTDIR$home" "$old"
	mv "$new" "$DESTDIR$home" || {
		[ ! -e "$old" ] || mv "$old" "$DESTDIR$home"
		exit 1
	}
	rm -rf "$old"
}

install_all() {
	PYTHON=$(FOR_SERVICE=1 packaging/venv.sh find)
	export PYTHON
	export PYTHONDONTWRITEBYTECODE=1
	echo "installing into $root"
	mkdir -p "$DESTDIR$PREFIX/lib" "$root/bin"
	[ -e "$DESTDIR$home" ] || [ ! -e "$old" ] || mv "$old" "$DESTDIR$home"
	build_wheel
	build_program
	swap

	# -I: neither the current directory nor PYTHON* variables may change what runs.
	printf '#!/bin/sh\nexec %s/bin/python -I -m teleport_email "$@"\n' "$home" >"$build/teleport-email"
	install -m 755 "$build/teleport-email" "$root/bin/teleport-email"
	install -D -m 644 examples/teleport-email.toml "$root/share/doc/teleport-email/teleport-email.toml"
	install -D -m 644 packaging/logrotate/teleport-email "$root/share/doc/teleport-email/logrotate"
	"$DESTDIR$home/bin/python" -I -m teleport_email install-service --write \
		--prefix "$PREFIX" --program "$PREFIX/bin/teleport-email" ${DESTDIR:+--destdir "$DESTDIR"} >"$build/told"
	grep -v '^wrote ' "$build/told" || :
	if [ -n "$DESTDIR" ]; then
		find "$DESTDIR" -newermt "@${SOURCE_DATE_EPOCH:-315532800}" \
			-exec touch -h -d "@${SOURCE_DATE_EPOCH:-315532800}" {} +
	fi
	echo "done; next: $PREFIX/bin/teleport-email configure > /etc/teleport-email.toml, fill it in, and" \
		"$PREFIX/bin/teleport-email check"
}

systemd_runs() {
	[ -z "$DESTDIR" ] && [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]
}

uninstall_all() {
	! systemd_runs || systemctl disable --now teleport-email.service 2>/dev/null || true
	rm -rf "$DESTDIR$home" "$old" "$new" "$root/share/doc/teleport-email"
	rm -f "$root/bin/teleport-email" "$root/lib/systemd/system/teleport-email.service" \
		"$root/lib/sysusers.d/teleport-email.conf" "$root/lib/tmpfiles.d/teleport-email.conf" \
		"$root/share/man/man1/teleport-email.1" "$root/share/man/man5/teleport-email.toml.5"
	! systemd_runs || systemctl daemon-reload
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
