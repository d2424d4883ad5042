# Debian roots for tests, kept in .roots/ for the next time. To be sourced, in the checkout's root directory.

skip() {
	echo "skipped: $*"
	exit 0
}

# need PROGRAM ...: skip where one is missing.
need() {
	[ "$(id -u)" = 0 ] || skip "making a root needs root"
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null ||
			skip "$tool is not installed here (Debian: apt install debootstrap systemd-container)"
	done
}

# make_root NAME SUITE [PACKAGE ...]: with debootstrap, and what that cannot resolve with apt.
make_root() {
	local root=$PWD/.roots/$1 suite=$2
	shift 2
	[ ! -e "$root.complete" ] || return 0
	echo "$(basename "$root"): making a root"
	mkdir -p .roots
	rm -rf --one-file-system "$root"
	# What debootstrap mounts in there (/proc) ends with it: who deletes the root must not meet it.
	unshare --mount debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" >"$root.log" 2>&1 ||
		skip "debootstrap $suite failed: $(tail -n 1 "$root.log")"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y -qq -o APT::Sandbox::User=root \
		--no-install-recommends "$@" </dev/null >>"$root.log" 2>&1 ||
		skip "packages for $(basename "$root") cannot be had: $(tail -n 1 "$root.log")"
	touch "$root.complete"
}

# fetch_wheels DIRECTORY PYTHON LOCK ...: as docs/installing.md says of hosts that reach no package index.
fetch_wheels() {
	local directory=$1 version=$2 python lock
	shift 2
	python=$(packaging/venv.sh find)
	for lock in "$@"; do
		"$python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
			--only-binary=:all: --python-version="$version" -d "$directory" \
			-r "requirements/$lock.txt" || skip "the packages cannot be fetched"
	done
}

# The root itself stays as it is: what happens in it goes into a layer at $work/root that leave_root throws away.
enter_root() {
	work=$(mktemp -d "$PWD/.roots/run.XXXXXX")
	trap leave_root EXIT
	mkdir "$work"/{upper,layer,root}
	mount -t overlay overlay -o "lowerdir=$PWD/.roots/$1,upperdir=$work/upper,workdir=$work/layer" "$work/root" ||
		skip "no overlay file system here"
}

leave_root() {
	umount -l "$work/root" 2>/dev/null || true
	rm -rf --one-file-system "$work" # where the layer could not be unmounted
	trap - EXIT
}

# What systemd and the tests in its roots need.
for_boot=(systemd-sysv dbus make python3-venv acl util-linux)
# What looks at packages and builds images.
for_tools=(lintian rpm cpio zsh fish bash-completion man-db binutils python3 buildah netavark)
