/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A temporary folder for a group of tests: cmocka_run_group_tests(tests,
 * make_dir, remove_dir).
 */
#ifndef PTELAB_TEST_FOLDER_H
#define PTELAB_TEST_FOLDER_H

#include <stdlib.h>

#include "lib/util.h"

static char *dir;

static int make_dir(void **state)
{
	(void)state;
	dir = mkdtemp(xstrdup("/tmp/ptelab-test.XXXXXX"));
	return dir ? 0 : -1;
}

static int remove_dir(void **state)
{
	char *command = xasprintf("rm -r %s", dir);
	int ret = system(command);

	(void)state;
	free(command);
	free(dir);
	return ret;
}

#endif
