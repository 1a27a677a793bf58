// SPDX-License-Identifier: GPL-2.0
/* See direct.h. */
#include "bench/kit/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "lib/util.h"

static const char *const nullb = "/dev/nullb0";

/* Returns whether O_DIRECT uses GUP there, instead of copying. */
static bool takes_direct(const char *dir)
{
	struct statfs fs;
	int fd;

	if (statfs(dir, &fs) || fs.f_type == TMPFS_MAGIC ||
	    fs.f_type == RAMFS_MAGIC || fs.f_type == OVERLAYFS_SUPER_MAGIC)
		return false;
	fd = open(dir, O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static const char *direct_dir(void)
{
	static const char *const dirs[] = { "/var/tmp", "/tmp", "." };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++)
		if (takes_direct(dirs[i]))
			return dirs[i];
	return NULL;
}

const char *direct_unavailable(const char *path, uint64_t need)
{
	static __thread char why[256];
	off_t size;
	int fd;

	if (!strcmp(path, DIRECT_AUTO)) {
		if (access(nullb, R_OK) && !direct_dir())
			return "no /dev/nullb0, and none of /var/tmp, /tmp and . is on a file system with O_DIRECT: give path=";
		return NULL;
	}
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0) {
		snprintf(why, sizeof(why), "path=%s: O_DIRECT: %s", path,
			 strerror(errno));
		return why;
	}
	size = lseek(fd, 0, SEEK_END);
	close(fd);
	if (size < (off_t)need) {
		snprintf(why, sizeof(why), "path=%s has %lld bytes, a call reads %lld",
			 path, (long long)size, (long long)need);
		return why;
	}
	return NULL;
}

/* Writes the file, since a hole would not be read from the device. */
static int fill(int fd, uint64_t bytes)
{
	char block[4096];
	uint64_t done;

	memset(block, 0x5a, sizeof(block));
	for (done = 0; done < bytes; done += sizeof(block))
		if (write(fd, block, sizeof(block)) != sizeof(block))
			return fail(errno ? errno : EIO, "temporary file: %s",
				    strerror(errno ? errno : EIO));
	if (fsync(fd))
		return fail(errno, "temporary file: %s", strerror(errno));
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

int direct_open(struct bench_ctx *ctx, const char *path, bool write,
		uint64_t bytes)
{
	bool temporary = false;
	int fd, ret;

	if (!strcmp(path, DIRECT_AUTO)) {
		path = nullb;
		if (access(path, R_OK)) {
			path = direct_dir();
			if (!path)
				return fail(ENOTSUP, "no file system with O_DIRECT here");
			temporary = true;
		}
	} else if (write) {
		return fail(EINVAL, "%s: not written to", path);
	}
	/* O_EXCL: a device that is mounted is not written to */
	fd = temporary ?
		open(path, O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600) :
		open(path, (write ? O_RDWR | O_EXCL : O_RDONLY) | O_DIRECT |
		     O_CLOEXEC);
	if (fd < 0)
		return fail(errno, "%s: O_DIRECT: %s", path, strerror(errno));
	json_object_set_new(ctx->proof, write ? "written_to" : "read_from",
			    json_string(path));
	if (!temporary)
		return fd;
	/* Write through the page cache, which accepts any size. */
	fcntl(fd, F_SETFL, 0);
	ret = fill(fd, bytes);
	fcntl(fd, F_SETFL, O_DIRECT);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}
