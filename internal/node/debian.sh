#!/bin/sh
# Downloads Debian's (or Ubuntu's) packages of containerd, runc and busybox into the
# directory bin/node/debian. They are unpacked rather than installed, so that the
# machine does not change. Without apt-get, the programs must be in PATH or in the
# directories of NODE_PATH.
set -eu
into=$1
if [ -e "$into/complete" ]; then exit 0; fi
if ! command -v apt-get dpkg-deb >/dev/null; then
	for p in containerd containerd-shim-runc-v2 ctr runc busybox; do
		PATH="${NODE_PATH:-}:$PATH" command -v "$p" >/dev/null || {
			echo "node: not a Debian system, and $p is missing: install it, or add its directory to NODE_PATH" >&2
			exit 1
		}
	done
	exit 0
fi
rm -rf "$into"
mkdir -p "$into"
cd "$into"
apt() { timeout 300 apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=2 -o Acquire::http::Timeout=20 "$@"; }
download() { apt download containerd runc busybox-static; }
# The package lists may be missing or old.
download >/dev/null 2>&1 || { apt update && download; } || {
	echo "node: apt-get cannot download containerd, runc and busybox-static" >&2
	exit 1
}
for deb in *.deb; do dpkg-deb -x "$deb" .; done
rm -f -- *.deb
touch complete
