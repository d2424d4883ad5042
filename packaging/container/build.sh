#!/bin/sh
# Builds the container image on the newest base image, pinned by its digest.
#
#   packaging/container/build.sh [IMAGE[:TAG]]
#
# PYTHON_DIGEST  digest of the base image (sha256:...), to build the same thing again
# DOCKER         the command, such as podman or, with PYTHON_DIGEST, buildah (default: docker)
# SOURCE_URL     the repository that the image's labels name
set -eu
cd "$(dirname "$0")/../.."

version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' src/teleport_email/__init__.py)
image=${1:-teleport-email:$version}
docker=${DOCKER:-docker}
base=python:$(sed -n 's/^ARG PYTHON_VERSION=//p' packaging/container/Dockerfile)-slim-bookworm

format=
case $(basename "$docker") in
# Their own format, OCI's, has no health check.
podman | buildah) format="--format docker" ;;
esac
if [ -z "${PYTHON_DIGEST:-}" ]; then
	[ "$(basename "$docker")" != buildah ] || {
		echo "say on which base: PYTHON_DIGEST=sha256:... (of $base)" >&2
		exit 2
	}
	"$docker" pull --quiet "$base" >/dev/null
	PYTHON_DIGEST=$("$docker" image inspect --format '{{index .RepoDigests 0}}' "$base")
	PYTHON_DIGEST=${PYTHON_DIGEST##*@}
fi
echo "building $image on $base@$PYTHON_DIGEST"
# shellcheck disable=SC2086 # two words, or none
exec "$docker" build $format --file packaging/container/Dockerfile \
	--build-arg "VERSION=$version" --build-arg "SOURCE=${SOURCE_URL:-}" --build-arg "COMMIT=$(git rev-parse HEAD 2>/dev/null || :)" \
	--build-arg "PYTHON_DIGEST=$PYTHON_DIGEST" --tag "$image" .
