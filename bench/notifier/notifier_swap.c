// SPDX-License-Identifier: GPL-2.0
/* See notifier_swap.h. */
#include "bench/notifier/notifier_swap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "lib/journal.h"
#include "lib/util.h"

#define ZRAM_CONTROL	"/sys/class/zram-control"
#define MAX_ZRAM	64

/* Returns the number of a zram device that is not set up; -1: there is none. */
static int unused_zram(void)
{
	int i;

	for (i = 0; i < MAX_ZRAM; i++) {
		char *state = read_line("/sys/block/zram%d/initstate", i);
		bool unused = state && !strcmp(state, "0");

		free(state);
		if (unused)
			return i;
	}
	return -1;
}

const char *zram_unavailable(void)
{
	if (access("/proc/swaps", F_OK))
		return "this kernel can't swap (CONFIG_SWAP)";
	if (unused_zram() >= 0 || !access(ZRAM_CONTROL "/hot_add", R_OK))
		return NULL;
	if (access(ZRAM_CONTROL, F_OK))
		return "no zram to swap to: modprobe zram, or a kernel with CONFIG_ZRAM";
	return "all zram devices are in use";
}

/* Gets an unused device, or creates one. */
static int zram_get(void)
{
	char *number = NULL, *state = NULL, *text;
	uint64_t nr;
	int ret = unused_zram();

	if (ret >= 0)
		return ret;
	/* Reading this file creates a device. */
	text = read_line(ZRAM_CONTROL "/hot_add");
	if (!text)
		return -errno;
	if (parse_u64(text, &nr) || nr > INT32_MAX) {
		ret = fail(EPROTO, ZRAM_CONTROL "/hot_add returned '%s'", text);
	} else {
		number = xasprintf("%" PRIu64, nr);
		state = xasprintf("/sys/block/zram%s/initstate", number);
		journal_while(state, "0");
		ret = journal_note_write(ZRAM_CONTROL "/hot_remove", number);
		if (!ret)
			ret = nr;
	}
	free(number);
	free(state);
	free(text);
	return ret;
}

void swap_header(void *header, uint64_t page, uint64_t bytes)
{
	/* union swap_header of include/linux/swap.h */
	uint32_t info[3] = { 1, bytes / page - 1, 0 };

	memset(header, 0, page);
	memcpy((char *)header + 1024, info, sizeof(info));
	memcpy((char *)header + page - 10, "SWAPSPACE2", 10);
}

static int write_header(const char *device, uint64_t bytes)
{
	uint64_t page = sysconf(_SC_PAGESIZE);
	void *header = xcalloc(1, page);
	int fd, ret = 0;

	swap_header(header, page, bytes);
	fd = open(device, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		ret = fail(errno, "%s: %s", device, strerror(errno));
	else if (pwrite(fd, header, page, 0) != (ssize_t)page || fsync(fd))
		ret = fail(errno ? errno : EIO, "%s: %s", device,
			   strerror(errno));
	if (fd >= 0)
		close(fd);
	free(header);
	return ret;
}

int zram_swapon(uint64_t bytes)
{
	char *device = NULL, *reset = NULL, *size = NULL, *value = NULL;
	int nr = zram_get(), ret;

	if (nr < 0)
		return nr;
	device = xasprintf("/dev/zram%d", nr);
	reset = xasprintf("/sys/block/zram%d/reset", nr);
	size = xasprintf("/sys/block/zram%d/disksize", nr);
	value = xasprintf("%" PRIu64, bytes);
	journal_while(size, value);
	ret = journal_note_write(reset, "1");
	if (!ret)
		ret = write_file(size, value);
	if (!ret)
		ret = write_header(device, bytes);
	if (!ret) {
		journal_while(size, value);
		ret = journal_note_swapoff(device);
	}
	/* The highest priority: no page goes elsewhere. */
	if (!ret && swapon(device, SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK))
		ret = fail(errno, "swapon %s: %s", device, strerror(errno));
	free(device);
	free(reset);
	free(size);
	free(value);
	return ret;
}
