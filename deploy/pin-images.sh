#!/bin/sh
# Prints the images of deploy/images.txt with the digests that their registries give now: deploy/pin-images.sh >> .env
# A tag can be moved to other content later; a digest cannot. All of them are found, or none is printed.
set -eu

pinned=""
while IFS== read -r name image; do
    digest=$(docker buildx imagetools inspect "$image" --format '{{.Manifest.Digest}}' < /dev/null)
    if ! printf '%s' "$digest" | grep -Eqx 'sha256:[0-9a-f]{64}'; then
        echo "no digest for $image: docker said '$digest'" >&2
        exit 1
    fi
    pinned="$pinned$name=$image@$digest
"
done < "$(dirname "$0")/images.txt"
printf '%s' "$pinned"
