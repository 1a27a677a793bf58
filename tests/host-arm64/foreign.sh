# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# foreign.sh: programs of arm64 run on this machine, for the time of a script.
# Sourced after scripts/lab/lib.sh, never run.

# Whether foreign_programs() made the kernel run them.
foreign_registered=''

# foreign_programs: so that chroot and mmdebstrap can run them.
foreign_programs()
{
	local binfmt=/proc/sys/fs/binfmt_misc

	[ "$(uname -m)" != aarch64 ] || return 0
	[ -e "$binfmt/register" ] || mount -t binfmt_misc binfmt_misc "$binfmt"
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
	foreign_registered=''
}
