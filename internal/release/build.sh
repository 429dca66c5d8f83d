#!/usr/bin/env bash
# Builds a release into dist/: the command line for five platforms, an SBOM for each,
# checksums, and the version's notes. "make release VERSION=v0.1.0" runs it. With
# VERSION=dry-run the notes are the newest section.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$1
section=$version
if [ "$version" = dry-run ]; then section=$(sed -n 's/^## \([^ ]*\).*/\1/p' CHANGELOG.md | head -1); fi

rm -rf dist
mkdir dist
# The section of this version.
awk -v want="## $section" '/^## / { found = ($0 == want || index($0, want " ") == 1); next } found' CHANGELOG.md > dist/NOTES.md
if ! grep -q '[^[:space:]]' dist/NOTES.md; then
	echo "CHANGELOG.md has no section \"## $section\"." >&2
	exit 1
fi
if [ "$version" != dry-run ] && grep -q '^+' internal/apicheck/api.txt; then
	echo "internal/apicheck/api.txt has unreleased symbols: run make api API=-release." >&2
	exit 1
fi

sbom="github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"
GOBIN=$PWD/dist/tools go install "$sbom"
for platform in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64; do
	os=${platform%/*} arch=${platform#*/}
	file=dist/podsecrets-inject-$os-$arch
	if [ "$os" = windows ]; then file=$file.exe; fi
	CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -ldflags "-s -w" -o "$file" ./examples/inject
	dist/tools/cyclonedx-gomod bin -json -output "$file.cdx.json" "$file"
done
rm -r dist/tools
# The images' programs compile for both platforms.
for module in examples/webhook examples/fetch; do
	for arch in amd64 arm64; do
		(cd "$module" && CGO_ENABLED=0 GOOS=linux GOARCH=$arch go build -trimpath -o /dev/null .)
	done
done
(cd dist && sha256sum podsecrets-inject-* > SHA256SUMS)
dist/podsecrets-inject-linux-amd64 -version
