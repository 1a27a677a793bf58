// SPDX-License-Identifier: GPL-2.0
/* See uffd.h. */
#include "bench/kit/uffd.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

int uffd_open(uint64_t features, int flags)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | flags);
	int err = errno;

	if (fd >= 0 && !ioctl(fd, UFFDIO_API, &api))
		return fd;
	if (fd >= 0) {
		err = errno;
		close(fd);
	}
	return fail(err, "userfaultfd: %s", strerror(err));
}

const char *uffd_unavailable(uint64_t features, int flags)
{
	int fd = uffd_open(features, flags);

	switch (-fd) {
	case ENOSYS:
		return "this kernel has no userfaultfd";
	case EPERM:
		return "userfaultfd is not permitted here";
	case EINVAL:
		return features & UFFD_FEATURE_WP_ASYNC ?
			"userfaultfd has no asynchronous write protection here (6.7, CONFIG_PTE_MARKER_UFFD_WP)" :
			"userfaultfd can't write-protect here";
	}
	if (fd < 0)
		return "userfaultfd can't be opened";
	close(fd);
	return NULL;
}

int uffd_register(int fd, const struct mm_region *r, bool on)
{
	unsigned int i;

	for (i = 0; i < r->nr; i++) {
		struct uffdio_register reg = {
			.range.start = (uintptr_t)mm_region_at(r, i),
			.range.len = r->bytes,
			.mode = UFFDIO_REGISTER_MODE_WP,
		};

		if (on ? ioctl(fd, UFFDIO_REGISTER, &reg) :
			 ioctl(fd, UFFDIO_UNREGISTER, &reg.range))
			return fail(errno, "userfaultfd: %s", strerror(errno));
	}
	return 0;
}
