# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# foreign.sh: programs of arm64 run on this machine, for the time of a script.
# Sourced after scripts/lab/lib.sh, never run.

# What foreign_programs() changed to have the kernel run them.
foreign_registered='' foreign_mounted=''

# foreign_programs: so that chroot and mmdebstrap can run them.
foreign_programs()
{
	local binfmt=/proc/sys/fs/binfmt_misc

	[ "$(uname -m)" != aarch64 ] || return 0
	if [ ! -e "$binfmt/register" ]; then
		mount -t binfmt_misc binfmt_misc "$binfmt"
		foreign_mounted=1
	fi
	[ ! -e "$binfmt/qemu-aarch64" ] || return 0
	cat /usr/lib/binfmt.d/qemu-aarch64.conf >"$binfmt/register" ||
		die "this kernel runs no programs of arm64 through binfmt_misc"
	foreign_registered=1
}

# foreign_end: undoes it; for an EXIT trap.
foreign_end()
{
	[ -z "$foreign_registered" ] ||
		echo -1 >/proc/sys/fs/binfmt_misc/qemu-aarch64
	[ -z "$foreign_mounted" ] || umount /proc/sys/fs/binfmt_misc
	foreign_registered='' foreign_mounted=''
}
