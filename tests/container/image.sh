# Runs in a root with buildah: makes a base that is tagged as the Dockerfile's, builds on it, looks, and runs it.
export BUILDAH_ISOLATION=chroot CONTAINERS_STORAGE_CONF=/storage.conf
printf '[storage]\ndriver = "vfs"\ngraphroot = "/srv/storage"\nrunroot = "/srv/run"\n' >/storage.conf
trap 'echo "line $LINENO: not so"' ERR
cd /source
quiet() { "$@" >/told 2>&1 || { tail -n 30 /told; return 1; }; }
is() {
	[ "$2" = "$3" ] || {
		echo "$1: $2, not $3"
		exit 1
	}
}

version=$(sed -n 's/^ARG PYTHON_VERSION=//p' packaging/container/Dockerfile)
base=docker.io/library/python:$version-slim-bookworm
container=$(buildah from scratch)
tree=$(buildah mount "$container")
cp -a /base/usr /base/etc /base/bin /base/lib /base/lib64 /base/sbin "$tree/"
mkdir -p "$tree"/{proc,sys,dev,run,root,tmp,var/tmp}
chmod 1777 "$tree/tmp" "$tree/var/tmp"
ln -s "/usr/bin/python$version" "$tree/usr/local/bin/python"
buildah unmount "$container" >/dev/null
quiet buildah commit --quiet --format docker --rm "$container" "$base"
digest=$(buildah images --digests --format '{{.Digest}}' "$base")

echo "without the digest of the base"
buildah build --pull=never --file packaging/container/Dockerfile . >/told 2>&1 && exit 1
grep -q 'say--build-arg=PYTHON_DIGEST=sha256:.*packaging/container/build.sh' /told

echo "building"
quiet buildah build --pull=never --format docker --file packaging/container/Dockerfile --tag image \
	--ignorefile packaging/container/Dockerfile.dockerignore \
	--volume /wheels:/wheels:ro --env PIP_NO_INDEX=1 --env PIP_FIND_LINKS=/wheels \
	--ulimit "nofile=$(ulimit -Sn):$(ulimit -Hn)" --ulimit "nproc=$(ulimit -Su):$(ulimit -Hu)" \
	--build-arg VERSION=1.2.3 --build-arg "COMMIT=$(cat /commit)" --build-arg SOURCE=https://git.example.com/x \
	--build-arg "PYTHON_DIGEST=$digest" .
shown() { buildah inspect --type image --format "{{$1}}" image; }
is "the version" "$(shown 'index .OCIv1.Config.Labels "org.opencontainers.image.version"')" 1.2.3
is "the commit" "$(shown 'index .OCIv1.Config.Labels "org.opencontainers.image.revision"')" "$(cat /commit)"
is "the source" "$(shown 'index .OCIv1.Config.Labels "org.opencontainers.image.source"')" https://git.example.com/x
is "the user" "$(shown .OCIv1.Config.User)" 65532:65532
shown .Docker.Config.Healthcheck | grep -q healthz

tree=$(buildah mount "$(buildah from --pull=never image)")
echo "  the program: $(du -sm "$tree/opt" | cut -f1) MB on its base"
[ -z "$(find "$tree/opt" -writable -user 65532)" ]

# As an engine with --read-only --user does it.
mount --bind "$tree" "$tree"
mount -o remount,ro,bind "$tree"
within=(chroot --userspec=65532:65532 --groups= "$tree")
program="/opt/teleport-email/bin/python -I -m teleport_email"
"${within[@]}" $program version
"${within[@]}" $program version --json | grep -q "\"commit\": \"$(cat /commit)\""
code=0
"${within[@]}" /usr/local/bin/teleport-plugin start >/told 2>&1 || code=$?
is "without a configuration it ends with" $code 78

echo "running"
mount -t tmpfs tmpfs "$tree/run" # where the configuration is, as a volume
cat >"$tree/run/teleport-email.toml" <<'T'
teleport = {addr = "127.0.0.1:3025", identity = "/run/identity", refresh_identity = true}
smtp = {host = "127.0.0.1"}
delivery = {sender = "a@example.com"}
role_to_recipients = {"*" = "b@example.com"}
T
mount -o remount,ro "$tree/run"
"${within[@]}" $program start --config=/run/teleport-email.toml --diag-addr=127.0.0.1:8080 >/told 2>&1 &
daemon=$!
health=$(shown 'index .Docker.Config.Healthcheck.Test 4')
for _ in $(seq 300); do
	! "${within[@]}" /opt/teleport-email/bin/python -I -c "$health" 2>/dev/null || break
	kill -0 $daemon || { cat /told; exit 1; }
	read -rt 0.2 <> <(:) || :
done
"${within[@]}" /opt/teleport-email/bin/python -I -c "$health" || { cat /told; exit 1; }
kill $daemon
wait $daemon
echo "  ok"
