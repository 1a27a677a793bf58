// SPDX-License-Identifier: GPL-2.0
/*
 * What reads input that somebody else wrote, for libFuzzer: whatever it is given,
 * it refuses or takes it, and frees all. PTELAB_FUZZ names the reader.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analysis/code/insns.h"
#include "analysis/code/patch.h"
#include "lib/record.h"
#include "lib/selector.h"
#include "lib/util.h"

static char path[32];	/* of a file with the input */

static void boot(void)
{
	run_file_free(run_file_load(path));
}

static void insns(void)
{
	insn_file_free(insn_file_load(path));
}

static void patch(void)
{
	struct patched p = { 0 };

	/* twice, as two patches of a series may change one file */
	patch_add(&p, path);
	patch_add(&p, path);
	patched_free(&p);
}

static void selector(void)
{
	char *text = read_file(path, NULL);
	struct selector_param p;
	struct selector s;

	if (!selector_parse(text, &s))
		selector_free(&s);
	if (!selector_param_parse(text, &p))
		selector_param_free(&p);
	free(text);
}

static const struct {
	const char *name;
	void (*read)(void);
} targets[] = {
	{ "boot", boot }, { "insns", insns }, { "patch", patch },
	{ "selector", selector },
};

static void (*target)(void);
static int fd;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("PTELAB_FUZZ");
	size_t i;

	for (i = 0; name && i < ARRAY_SIZE(targets); i++)
		if (!strcmp(name, targets[i].name))
			target = targets[i].read;
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (target && fd >= 0)
		return 0;
	fputs("fuzz: PTELAB_FUZZ names one of boot, insns, patch, selector\n",
	      stderr);
	exit(EXIT_COULD_NOT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	target();
	return 0;
}
