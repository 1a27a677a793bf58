// SPDX-License-Identifier: GPL-2.0
/*
 * Loads ptelab.ko for the duration of a run. Separate from kmod.c, because only
 * code with an open journal may change the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/journal.h"
#include "lib/kmod.h"
#include "lib/util.h"

static int insert(const char *file, int fd)
{
	int ret = journal_note_module("ptelab");

	if (ret || !syscall(SYS_finit_module, fd, "", 0))
		return ret;
	if (errno == ENOEXEC)
		return fail(ENOEXEC, "%s is for another kernel: build it with make -C kmod",
			    file);
	return fail(errno, "%s does not load: %s", file, strerror(errno));
}

int kmod_load(void)
{
	const char *file = kmod_file();
	int fd, ret;

	if (!file)
		return 0;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		ret = fail(errno, "%s: %s", file, strerror(errno));
	} else {
		ret = insert(file, fd);
		close(fd);
	}
	if (ret)
		kmod_not_loaded(fail_text());
	return ret;
}
