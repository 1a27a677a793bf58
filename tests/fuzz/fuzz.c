// SPDX-License-Identifier: GPL-2.0
/*
 * What reads input that somebody else wrote, for libFuzzer: whatever it is given,
 * it refuses or takes it, and frees all. PTELAB_FUZZ names the reader, and
 * PTELAB_FUZZ_SECONDS the CPU time after which it ends, with that of its children.
 */
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "analysis/code/insns.h"
#include "analysis/code/patch.h"
#include "cli/sweep.h"
#include "lib/record.h"
#include "lib/selector.h"
#include "lib/util.h"

static char path[32];	/* of a file with the input, for programs */
static const uint8_t *input;
static size_t input_len, input_at;

/*
 * Readers get the input from memory, as system calls would be most of the cost. The
 * linker (--wrap) calls these instead of read_file() and zlib. Only mbox() reads
 * other files.
 */
char *__real_read_file(const char *name, size_t *len);
char *__wrap_read_file(const char *name, size_t *len);
char *__wrap_read_file(const char *name, size_t *len)
{
	char *text;

	if (strcmp(name, path))
		return __real_read_file(name, len);
	/* no byte more than there is, so that a read past the end is noticed */
	text = xcalloc(1, input_len + 1);
	memcpy(text, input, input_len);
	if (len)
		*len = input_len;
	return text;
}

gzFile __wrap_gzopen(const char *name, const char *mode);
gzFile __wrap_gzopen(const char *name, const char *mode)
{
	if (strcmp(name, path))
		abort();
	input_at = 0;
	return (gzFile)&input_at;
}

int __wrap_gzbuffer(gzFile z, unsigned int size);
int __wrap_gzbuffer(gzFile z, unsigned int size)
{
	return 0;
}

int __wrap_gzread(gzFile z, void *buf, unsigned int len);
int __wrap_gzread(gzFile z, void *buf, unsigned int len)
{
	len = MIN(len, input_len - input_at);
	memcpy(buf, input + input_at, len);
	input_at += len;
	return len;
}

int __wrap_gzclose(gzFile z);
int __wrap_gzclose(gzFile z)
{
	return Z_OK;
}

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
	char *text = __wrap_read_file(path, NULL);
	struct selector_param p;
	struct selector s;

	if (!selector_parse(text, &s))
		selector_free(&s);
	if (!selector_param_parse(text, &p))
		selector_param_free(&p);
	free(text);
}

static void sweep(void)
{
	sweep_free(sweep_load(path));
}

/* Runs the program and returns its exit status; it must not be killed. */
static int run(char **argv)
{
	int status;
	pid_t pid;

	if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) ||
	    TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) != pid ||
	    !WIFEXITED(status))
		abort();
	return WEXITSTATUS(status);
}

/*
 * scripts/lab/mbox takes the series out of it, or refuses with one line. What it
 * leaves is a patch of which this program's own reader says, too, that it names no
 * file outside of the tree. A script can't be instrumented: inputs come from the
 * seeds alone.
 */
static void mbox(void)
{
	static const char once[] = "tests/fuzz/mbox-once";
	char *argv[3] = { (char *)once, path };
	struct patched p = { 0 };
	char *file;
	size_t i;
	int nr;

	if (run(argv))
		return;
	for (nr = 1; ; nr++) {
		file = xasprintf("%s/out/%04d.patch", getenv("TMPDIR"), nr);
		if (access(file, F_OK))
			break;
		patch_add(&p, file);
		free(file);
	}
	free(file);
	for (i = 0; i < p.nr; i++)
		if (*p.files[i].name == '/' || strstr(p.files[i].name, "../"))
			abort();
	patched_free(&p);
}

static const struct {
	const char *name;
	void (*read)(void);
} targets[] = {
	{ "boot", boot }, { "insns", insns }, { "patch", patch },
	{ "selector", selector }, { "sweep", sweep }, { "mbox", mbox },
};

static void (*target)(void);
static double seconds;
static int fd;

static double used(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return u.ru_utime.tv_sec + u.ru_stime.tv_sec +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("PTELAB_FUZZ");
	const char *limit = getenv("PTELAB_FUZZ_SECONDS");
	size_t i;

	seconds = limit ? atof(limit) : 0;

	for (i = 0; name && i < ARRAY_SIZE(targets); i++)
		if (!strcmp(name, targets[i].name))
			target = targets[i].read;
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	if (target && fd >= 0)
		return 0;
	fputs("fuzz: PTELAB_FUZZ names one of boot, insns, patch, selector, sweep, mbox\n",
	      stderr);
	exit(EXIT_COULD_NOT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned int nr;

	input = data;
	input_len = size;
	if (target == mbox && (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size))
		abort();
	target();
	/* with -handle_usr1 it ends, and prints how many there were */
	if (seconds && (target == mbox || !(++nr % 256)) &&
	    used(RUSAGE_SELF) + used(RUSAGE_CHILDREN) > seconds)
		raise(SIGUSR1);
	return 0;
}
