// SPDX-License-Identifier: GPL-2.0
/*
 * ptelab cell: measures one boot of a sweep. It does not boot anything. It checks
 * that the right kernel runs and that this boot was not measured before, measures,
 * and writes the boot file atomically. Rerunning a finished cell is a no-op.
 */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/cmd.h"
#include "cli/sweep.h"
#include "lib/env.h"
#include "lib/journal.h"
#include "lib/record.h"
#include "lib/util.h"

enum { OPT_KERNEL = 256, OPT_BOOT, OPT_RELEASE, OPT_BUILD_ID, OPT_RESTORE };

static const struct argp_option options[] = {
	{ "kernel", OPT_KERNEL, "NAME", 0, "the kernel's name in the sweep file", 0 },
	{ "boot", OPT_BOOT, "N", 0, "the number of this boot, from 1", 0 },
	{ "output", 'o', "DIR", 0,
	  "write DIR/NAME/boot-NNN.jsonl; default runs/FILE without its suffix", 0 },
	{ "release", OPT_RELEASE, "R", 0,
	  "require this uname -r; needed unless the file's kernel is an installed release", 0 },
	{ "build-id", OPT_BUILD_ID, "HEX", 0,
	  "require this build id of the kernel", 0 },
	{ "restore", OPT_RESTORE, NULL, 0,
	  "measure nothing; restore what a killed ptelab changed", 0 },
	{ 0 }
};

static const char doc[] =
	"Measures one cell of a sweep: one boot of one kernel, on this host.\v"
	"cell does not boot anything. If the cell's boot file exists and is "
	"complete, it has nothing to do. The boot file is written atomically. "
	"Each boot is measured once: another cell needs another boot.\n"
	"\n"
	"Examples:\n"
	"  ptelab cell gup.cfg --kernel base --boot 3 -o runs/gup\n"
	"  ptelab cell gup.cfg --kernel new --boot 3 --release 6.12.9-new\n"
	"  ptelab cell --restore\n"
	"\n"
	"Exit status: 0 the boot file exists and is complete; 2 failure: another "
	"kernel runs, no space is left, another cell is running, or nothing "
	"could be measured.";

static struct {
	const char *file, *kernel, *output, *release, *build_id;
	uint64_t boot;
	bool restore;
} env;

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case OPT_KERNEL:
		env.kernel = arg;
		break;
	case OPT_BOOT:
		env.boot = number_arg("--boot", arg, 1, 99999, state);
		break;
	case 'o':
		env.output = arg;
		break;
	case OPT_RELEASE:
		env.release = arg;
		break;
	case OPT_BUILD_ID:
		env.build_id = arg;
		break;
	case OPT_RESTORE:
		env.restore = true;
		break;
	case ARGP_KEY_ARG:
		if (env.file)
			args_error(state, "too many sweep files: give one; '%s' is a second one",
				   arg);
		env.file = arg;
		break;
	case ARGP_KEY_END:
		if (!env.restore && (!env.file || !env.kernel || !env.boot))
			args_error(state, "FILE, --kernel and --boot are needed");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* Checks release and build id, since two kernels can share a release. */
static int check_kernel(const struct sweep *s)
{
	const struct sweep_kernel *k = sweep_find_kernel(s, env.kernel);
	const char *want = env.release ?: k ? k->release : NULL;
	char *have, *id;
	int ret = 0;

	/* a sweep file without kernels applies to any kernel */
	if (!k && s->nr_kernels)
		return -ENOENT;
	have = read_line("/proc/sys/kernel/osrelease");
	if (!have)
		return -errno;
	if (!want)
		ret = fail(EINVAL, "%s: kernel '%s': its release is unknown; give its uname -r with --release",
			   s->path, env.kernel);
	else if (strcmp(have, want))
		ret = fail(ENOEXEC, "this host runs %s; '%s' is %s: boot it first",
			   have, env.kernel, want);
	free(have);
	if (ret || !env.build_id)
		return ret;
	id = env_kernel_build_id();
	if (!id)
		ret = fail(ENODATA, "this kernel's build id can't be read, so it may not be '%s'",
			   env.kernel);
	else if (strcmp(id, env.build_id))
		ret = fail(ENOEXEC, "this kernel's build id is %s; '%s' has %s: boot that kernel",
			   id, env.kernel, env.build_id);
	free(id);
	return ret;
}

/* Returns 1 if the boot file exists and is complete, 0 if not, or -errno. */
static int is_done(const char *path)
{
	struct run_file *f;
	int done;

	if (access(path, F_OK))
		return 0;
	f = run_file_load(path);
	if (!f)
		return -EBADMSG;
	done = f->complete;
	run_file_free(f);
	return done ? 1 : fail(EBADMSG, "%s: incomplete, so no cell wrote it; move it away",
			       path);
}

/* Checks that this boot was not measured before: boots must be independent. */
static int check_unused(const char *dir, const char *boot_id)
{
	struct dirent *e;
	DIR *d = opendir(dir);
	int ret = 0;

	while (d && !ret && (e = readdir(d))) {
		char *path;
		struct run_file *f;
		const char *id;

		if (strncmp(e->d_name, "boot-", 5))
			continue;
		path = xasprintf("%s/%s", dir, e->d_name);
		f = run_file_load(path);
		id = f ? json_string_value(json_object_get(f->header,
							   "boot_id")) : NULL;
		if (id && !strcmp(id, boot_id))
			ret = fail(EEXIST, "this boot is %s already: boot again to measure another one",
				   path);
		run_file_free(f);
		free(path);
	}
	if (d)
		closedir(d);
	return ret;
}

/* Returns the arguments for ptelab run; the strings are never freed. */
static struct text_list arguments(const struct sweep *s, const char *part)
{
	struct text_list l = { 0 };

	text_add(&l, "ptelab run");
	sweep_run_options(s, &l);
	text_add(&l, "-o");
	text_add(&l, part);
	return l;
}

/* Returns how far CLOCK_REALTIME is ahead of CLOCK_BOOTTIME. */
static double clock_offset(void)
{
	struct timespec wall, boot;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return wall.tv_sec - boot.tv_sec + (wall.tv_nsec - boot.tv_nsec) / 1e9;
}

static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = fd < 0 || fsync(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return ret ? fail(-ret, "%s: %s", dir, strerror(-ret)) : 0;
}

static size_t measured(const struct run_file *f)
{
	size_t i, nr = 0;

	for (i = 0; i < f->nr_points; i++) {
		const char *bench = json_string_value(
				json_object_get(f->points[i], "bench"));
		const char *status = json_string_value(
				json_object_get(f->points[i], "status"));

		nr += strcmp(bench, "harness.empty") && !strcmp(status, "ok");
	}
	/* a cell of only harness.empty is fine */
	return f->nr_points == 1 ? 1 : nr;
}

/*
 * Renames the file to its final name, or removes it. A file with unproved points
 * is kept: it records the reason of each. A file without a footer or without a
 * single figure is not.
 */
static int keep(const char *part, const char *path, const char *dir, int status)
{
	char *why = xstrdup(fail_text());
	struct run_file *f = access(part, F_OK) ? NULL : run_file_load(part);
	int ret;

	if (!f || !f->complete)
		ret = fail(EIO, "%s", *why ? why : "the run was cut short");
	else if (!measured(f))
		ret = fail(ENODATA, "nothing could be measured: %s", why);
	else
		ret = 0;
	if (!ret && status)
		warn("%s", why);
	free(why);
	run_file_free(f);
	if (!ret && rename(part, path))
		ret = fail(errno, "%s: %s", path, strerror(errno));
	if (ret)
		unlink(part);
	return ret ? ret : sync_dir(dir);
}

static int measure(const struct sweep *s, const char *dir, const char *path)
{
	char *part = xasprintf("%s/.part-%05u.jsonl", dir,
			       (unsigned int)env.boot);
	struct text_list l = arguments(s, part);
	double offset = clock_offset(), jump;
	json_t *extra = json_pack("{s:{s:s, s:s, s:I}}", "cell", "sweep",
				  s->path, "kernel", env.kernel, "boot",
				  (json_int_t)env.boot);
	int ret;

	/* a killed cell left this; the lock proves that it is dead */
	unlink(part);
	ret = keep(part, path, dir, run_measure(l.nr, (char **)l.v, extra));
	json_decref(extra);
	free(l.v);
	free(part);
	jump = clock_offset() - offset;
	if (jump > 1 || jump < -1)
		warn("this host's clock was set by %+.0f s during the run; results are not affected, they use another clock",
		     jump);
	return ret;
}

/* Allows one cell at a time in @dir, even if none changes settings. */
static int lock_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail(errno, "%s: %s", dir, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB))
		return fail(EBUSY, "%s: another cell is being measured here; wait for it",
			    dir);
	return 0;
}

static int cell(const struct sweep *s, const char *dir, const char *path)
{
	char *boot_id;
	int ret = make_dirs(dir);

	if (!ret)
		ret = lock_dir(dir);
	if (!ret)
		ret = is_done(path);
	if (ret)
		return ret < 0 ? ret : 0;
	ret = check_kernel(s);
	if (ret)
		return ret;
	boot_id = read_line("/proc/sys/kernel/random/boot_id");
	if (!boot_id)
		return -errno;
	ret = check_unused(dir, boot_id);
	free(boot_id);
	return ret ? ret : measure(s, dir, path);
}

static char *default_output(const char *file)
{
	const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
	const char *dot = strrchr(name, '.');

	return xasprintf("runs/%.*s", (int)(dot && dot != name ? dot - name :
					   (long)strlen(name)), name);
}

static int restore(void)
{
	unsigned int replayed = 0;
	int ret = journal_open(NULL, JOURNAL_DROP, &replayed);

	journal_close();
	if (!ret)
		printf("%u settings restored\n", replayed);
	return ret ? EXIT_COULD_NOT : EXIT_DONE;
}

int cmd_cell(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "FILE", doc, NULL,
					  NULL, NULL };
	char *out, *dir, *path;
	struct sweep *s;
	int ret;

	if (args_parse(&argp, argc, argv, 0))
		return EXIT_COULD_NOT;
	if (env.restore)
		return restore();
	if (strchr(env.kernel, '/') || *env.kernel == '.') {
		fail(EINVAL, "--kernel '%s' is not a name of a kernel", env.kernel);
		return EXIT_COULD_NOT;
	}
	s = sweep_load(env.file);
	if (!s)
		return EXIT_COULD_NOT;
	out = env.output ? xstrdup(env.output) : default_output(env.file);
	dir = xasprintf("%s/%s", out, env.kernel);
	path = xasprintf("%s/boot-%03u.jsonl", dir, (unsigned int)env.boot);
	ret = cell(s, dir, path);
	if (!ret)
		printf("%s\n", path);
	free(path);
	free(dir);
	free(out);
	sweep_free(s);
	return ret ? EXIT_COULD_NOT : EXIT_DONE;
}
