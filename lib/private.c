// SPDX-License-Identifier: GPL-2.0
/* See private.h. */
#include "lib/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util.h"

/*
 * Returns @fd if only this user can have written the file or folder, else
 * -errno.
 */
static int check(int fd, const char *path, bool folder)
{
	struct stat s;
	int ret = fd;

	if (fd < 0)
		ret = errno == ELOOP || errno == ENOTDIR ?
			fail(errno, "%s is not a plain %s; remove it", path,
			     folder ? "folder" : "file") :
			fail(errno, "%s: %s", path, strerror(errno));
	else if (fstat(fd, &s))
		ret = fail(errno, "%s: %s", path, strerror(errno));
	else if (folder ? !S_ISDIR(s.st_mode) : !S_ISREG(s.st_mode))
		ret = fail(EINVAL, "%s is not a plain %s; remove it", path,
			   folder ? "folder" : "file");
	else if (s.st_uid != geteuid())
		ret = fail(EPERM, "%s belongs to user %u, who could make ptelab write any file; remove it",
			   path, (unsigned int)s.st_uid);
	else if (s.st_mode & 022)
		ret = fail(EPERM, "others may write to %s, and could make ptelab write any file; chmod go-w it, or remove it",
			   path);
	if (ret < 0 && fd >= 0)
		close(fd);
	return ret;
}

int private_dir(const char *path)
{
	char *above = xstrdup(path), *slash = strrchr(above, '/');
	int ret = 0;

	if (slash && slash != above) {
		*slash = '\0';
		ret = make_dirs(above);
	}
	free(above);
	if (ret)
		return ret;
	if (mkdir(path, 0700) && errno != EEXIST)
		return fail(errno, "can't make the folder %s: %s", path,
			    strerror(errno));
	return check(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
			  O_CLOEXEC), path, true);
}

int private_file(int dir, const char *name, const char *path)
{
	return check(openat(dir, name, O_RDWR | O_CREAT | O_APPEND |
			    O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600), path,
		     false);
}
