/* SPDX-License-Identifier: GPL-2.0 */
/* Write-protects the mappings of a region with userfaultfd. */
#ifndef PTELAB_UFFD_H
#define PTELAB_UFFD_H

#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bench/kit/mm.h"
#include "lib/util.h"

/* Missing in the linux/userfaultfd.h of some systems. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY		1
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC		(1 << 15)
#endif

/*
 * Opens a userfaultfd with these features. Returns -errno with fail() text if the
 * kernel lacks one. @flags: 0 or UFFD_USER_MODE_ONLY.
 */
int uffd_open(uint64_t features, int flags);
/* Returns why uffd_open() fails here; NULL if it does not. */
const char *uffd_unavailable(uint64_t features, int flags);
/* Registers all mappings of the region for write protection, or none. */
int uffd_register(int fd, const struct mm_region *r, bool on);

/*
 * Write-protects @len bytes, or removes the protection and wakes waiters. Inline
 * because one benchmark measures it.
 */
static inline int uffd_protect(int fd, const void *at, uint64_t len, bool on)
{
	struct uffdio_writeprotect wp = {
		.range.start = (uintptr_t)at,
		.range.len = len,
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	while (ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
		if (errno != EAGAIN)
			return fail(errno, "userfaultfd write protection: %s",
				    strerror(errno));
	return 0;
}

#endif
