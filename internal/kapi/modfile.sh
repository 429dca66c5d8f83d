#!/usr/bin/env bash
# Writes a go.mod that makes this module the API server of another version of
# Kubernetes, and an empty go.sum, which the build fills:
#
#	modfile.sh v1.36.3 DIR
#
# The version's own go.mod determines the rest: the version of etcd, which parts of
# Kubernetes are modules, and the default of GODEBUG.
set -euo pipefail
version=$1 dir=$2
cd "$(dirname "$0")"
mkdir -p "$dir"
module=$dir/go.mod
printf 'module github.com/podsecrets/podsecrets/internal/kapi\n' > "$module"
: > "$dir/go.sum"

theirs=$(go mod download -json "k8s.io/kubernetes@$version" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
edit=("-go=$(sed -n 's/^go //p' go.mod)" "-require=k8s.io/kubernetes@$version")
edit+=("-godebug=$(sed -n 's/^godebug //p' "$theirs")")
for part in $(sed -n 's|^\t\(k8s\.io/[a-z-]*\) => \./staging/.*|\1|p' "$theirs"); do
	edit+=("-replace=$part=$part@v0${version#v1}")
done
go mod edit "${edit[@]}" "$module"
