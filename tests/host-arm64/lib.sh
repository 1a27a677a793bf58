# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0
# lib.sh: the emulated host: where it is, and starting, stopping, asking it.
# Sourced after scripts/lab/lib.sh, never run.

HOST_DIR=$TOP/tests/host-arm64
HOST_CACHE=$CACHE/host-arm64
DEFAULT_KERNEL=6.1
OTHER_KERNEL=6.12

# Whatever the disk image is made of, but for Debian's own packages
host_id()
{
	hash_files "$HOST_DIR"/{image,slim-deb,lib.sh,foreign.sh}
}

# host_qemu DISK PORT [VARIABLES]: sets $qemu_command; the firmware remembers its
# variables in that file, else until its power is cut.
host_qemu()
{
	local disk=$1 port=$2 vars=()

	[ -z "${3:-}" ] || vars=(-drive "if=pflash,format=raw,file=$3")

	# shellcheck disable=SC2054 # QEMU's commas
	qemu_command=(qemu-system-aarch64 -M virt -cpu cortex-a72 -smp 2 -m 1G
		-accel "tcg,thread=multi" -nodefaults -display none -no-user-config
		-drive "if=pflash,format=raw,readonly=on,file=/usr/share/AAVMF/AAVMF_CODE.fd"
		${vars[@]+"${vars[@]}"}
		-drive "if=none,id=disk,file=$disk,discard=unmap,cache=unsafe"
		-device virtio-blk-pci,drive=disk
		-netdev "user,id=net,hostfwd=tcp:127.0.0.1:$port-:22"
		-device virtio-net-pci,netdev=net,romfile=
		-device virtio-rng-pci)
}

# host_ssh_config FILE PORT KEY KNOWN_HOSTS: how to reach it by the name "emulated"
host_ssh_config()
{
	cat >"$1" <<END
Host emulated
	HostName 127.0.0.1
	Port $2
	User root
	IdentityFile $3
	UserKnownHostsFile $4
	StrictHostKeyChecking yes
	IdentitiesOnly yes
END
}
