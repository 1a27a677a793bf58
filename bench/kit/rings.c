// SPDX-License-Identifier: GPL-2.0
/* See rings.h. */
#include "bench/kit/rings.h"

#include <errno.h>
#include <liburing.h>
#include <stddef.h>

const char *rings_unavailable(void)
{
	struct io_uring ring;
	int ret;

	ret = io_uring_queue_init(1, &ring, 0);
	if (ret == -ENOSYS)
		return "this kernel has no io_uring";
	if (ret)
		return "io_uring is not permitted here (kernel.io_uring_disabled?)";
	ret = io_uring_register_buffers_sparse(&ring, 1);
	io_uring_queue_exit(&ring);
	return ret ? "this io_uring has no sparse buffer tables (added in 5.19)" :
		     NULL;
}
