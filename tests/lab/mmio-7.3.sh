#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# mmio.sh on Linux 7.3, whose KVM tells a module less, and whose loops that store
# to devices are others.
set -u
here=$(cd "$(dirname "$0")" && pwd)
kernel=$("$here/../../scripts/lab/kernel" --kernel 7.3 --where 2>&1)
if [ ! -d "$kernel" ]; then
	echo "skip mmio-7.3: no such kernel in the cache; scripts/lab/kernel --kernel 7.3 builds it, in ten minutes"
	exit 0
fi
KERNEL=7.3 exec "$here/mmio.sh"
