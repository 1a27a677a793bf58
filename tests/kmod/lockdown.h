/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included before each file of a ptelab.ko that is only for a test: the lab's kernels
 * have no lockdown. Here /proc/sys/kernel/panic says how far this one is locked
 * down, 1 for integrity and 2 for confidentiality.
 */
#include <linux/panic.h>
#include <linux/security.h>

#define security_locked_down(what)					\
	((what) < (panic_timeout == 1 ? LOCKDOWN_INTEGRITY_MAX :	\
		   panic_timeout == 2 ? LOCKDOWN_CONFIDENTIALITY_MAX :	\
					LOCKDOWN_NONE) ? -EPERM : 0)
