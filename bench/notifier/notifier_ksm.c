// SPDX-License-Identifier: GPL-2.0
/* notifier: KSM merges pages, or unmerges them. See notifier.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench/kit/stop.h"
#include "bench/notifier/notifier.h"
#include "lib/journal.h"
#include "lib/util.h"

#define KSM	"/sys/kernel/mm/ksm/"

static const char *const ksm_how[] = { "merge", "unmerge", NULL };

static const struct bench_param ksm_params[] = {
	{ .name = "how", .type = PARAM_ENUM, .def = "merge",
	  .choices = ksm_how,
	  .help = "ksmd merges the pages, or the process unmerges them" },
	PARAM_SECONDARY, PARAM_FOLIO("4k"), PARAM_MEASURE, PARAM_GUEST,
};

/* Returns whether a process has requested merging of its memory. */
static bool mergeable(int pid)
{
	char *path = xasprintf("/proc/%d/ksm_stat", pid), *text, *p;
	bool asked = false;

	text = read_file(path, NULL);
	p = text ? strstr(text, "ksm_mergeable: ") : NULL;
	if (p) {
		asked = !strncmp(p, "ksm_mergeable: yes", 18);
	} else {
		/* Before 6.15 only the flags of the mappings show it. */
		free(path);
		free(text);
		path = xasprintf("/proc/%d/smaps", pid);
		text = read_file(path, NULL);
		for (p = text; p && !asked; p = strstr(p, "VmFlags:")) {
			char *end = strchr(p, '\n');

			p += 8;
			if (end)
				asked = memmem(p, end - p, " mg", 3);
		}
	}
	free(path);
	free(text);
	return asked;
}

/* Returns another process that has requested merging; 0: none. */
static int other_mergeable(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int found = 0;

	while (d && !found && (e = readdir(d))) {
		int pid = atoi(e->d_name);

		if (pid > 0 && pid != getpid() && mergeable(pid))
			found = pid;
	}
	if (d)
		closedir(d);
	return found;
}

static const char *ksm_refused(const struct bench_ctx *ctx)
{
	static __thread char why[128];
	int other;

	char *run = read_line(KSM "run");
	bool has = run, runs = run && *run == '1';

	free(run);
	if (!has)
		return "this kernel has no KSM";
	if (runs)
		return "ksmd is running for other processes: stop it with echo 0 > " KSM "run";
	if (nt_folio(ctx) != mm_caps()->page)
		return "ksmd splits large folios before it merges their pages: see notifier.split";
	other = other_mergeable();
	if (!other)
		return NULL;
	snprintf(why, sizeof(why), "process %d also has mergeable memory, which ksmd would scan and merge, too",
		 other);
	return why;
}

static int ksm_setup(struct bench_ctx *ctx)
{
	/* One wake-up is then one pass over all pages; none is skipped. */
	static const struct { const char *file, *value; } set[] = {
		{ KSM "advisor_mode", "none" },
		{ KSM "pages_to_scan", "100000000" },
		{ KSM "sleep_millisecs", "1000000" },
		{ KSM "smart_scan", "0" },
		{ KSM "use_zero_pages", "0" },
		{ KSM "run", "0" },
	};
	struct notifier *nt = nt_of(ctx);
	size_t i;
	int ret;

	nt->alike = true;
	nt->mark = journal_mark();
	nt->marked = true;
	for (i = 0; i < ARRAY_SIZE(set); i++) {
		ret = journal_set(set[i].file, set[i].value);
		if (ret && ret != -ENOENT)
			return ret;
	}
	/* Whatever happens, set it to 0 in the end. */
	ret = journal_note_write(KSM "run", "0");
	if (ret)
		return ret;
	nt->fd = open(KSM "run", O_WRONLY | O_CLOEXEC);
	if (nt->fd < 0)
		return fail(errno, KSM "run: %s", strerror(errno));
	nt->ksm_sleep = open(KSM "sleep_millisecs", O_WRONLY | O_CLOEXEC);
	if (nt->ksm_sleep < 0)
		return fail(errno, KSM "sleep_millisecs: %s", strerror(errno));
	nt->ksm_progress = open(KSM "pages_scanned", O_RDONLY | O_CLOEXEC);
	if (nt->ksm_progress < 0)
		nt->ksm_progress = open(KSM "full_scans", O_RDONLY | O_CLOEXEC);
	return nt->ksm_progress < 0 ?
		fail(errno, KSM "full_scans: %s", strerror(errno)) : 0;
}

static int ksm_run(const struct notifier *nt, const char *value)
{
	return pwrite(nt->fd, value, 1, 0) == 1 ? 0 :
		fail(errno, KSM "run: %s", strerror(errno));
}

/* Returns how far ksmd has come: pages, or whole passes on older kernels. */
static uint64_t ksm_progress(const struct notifier *nt)
{
	char text[24];
	ssize_t n = pread(nt->ksm_progress, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return strtoull(text, NULL, 10);
}

/*
 * Wakes ksmd from its sleep between two passes, by a change of the sleep's
 * length; ksmd then waits for "run".
 */
static int ksm_nudge(const struct notifier *nt)
{
	static unsigned int toggle;
	const char *value = ++toggle & 1 ? "1000000" : "1000001";

	return pwrite(nt->ksm_sleep, value, 7, 0) == 7 ? 0 :
		fail(errno, KSM "sleep_millisecs: %s", strerror(errno));
}

/*
 * Lets ksmd make one pass over all mergeable pages. ksmd holds a mutex
 * meanwhile, for which the last write to "run" waits, but ksmd must get there
 * first.
 */
static int ksm_pass(const struct notifier *nt)
{
	const struct timespec moment = { .tv_nsec = 100000 };
	uint64_t from = ksm_progress(nt);
	int tries, ret;

	for (tries = 0; tries < 100000; tries++) {
		/* again, in case ksmd was about to sleep */
		ret = tries % 500 ? 0 : ksm_nudge(nt);
		if (!ret && !tries)
			ret = ksm_run(nt, "1");
		if (ret)
			return ret;
		nanosleep(&moment, NULL);
		if (ksm_progress(nt) != from)
			return ksm_run(nt, "0");
		if (bench_stop)
			return -EINTR;
	}
	return fail(ETIMEDOUT, "ksmd does not scan");
}

/* The same, and then waits until ksmd sleeps again. */
static int ksm_whole_pass(const struct notifier *nt)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int ret = ksm_pass(nt);

	nanosleep(&pause, NULL);
	return ret;
}

static int ksm_fresh(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int ret = 0;

	if (madvise(nt->r.base, nt->r.bytes, MADV_UNMERGEABLE))
		ret = fail(errno, "MADV_UNMERGEABLE: %s", strerror(errno));
	return ret ? ret : nt_fresh_folios(ctx);
}

/*
 * Returns how many pages share their frame with another one. The kernel's own
 * flag, KPF_KSM, is set for every anonymous page in 6.12.
 */
static uint64_t sharing(const uint64_t *entry, uint64_t nr)
{
	uint64_t *pfn = xcalloc(nr, sizeof(*pfn)), i, n = 0;

	for (i = 0; i < nr; i++)
		pfn[i] = entry[i] & PM_PRESENT ? entry[i] & PM_PFN : 0;
	qsort(pfn, nr, sizeof(*pfn), cmp_u64);
	for (i = 0; i < nr; i++)
		n += pfn[i] && ((i && pfn[i] == pfn[i - 1]) ||
				(i + 1 < nr && pfn[i] == pfn[i + 1]));
	free(pfn);
	return n;
}

/*
 * The first pass only records what the pages hold; a page is merged if it did
 * not change until the next.
 */
static int ksm_before(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t merged;
	int ret;

	if (madvise(nt->r.base, nt->r.bytes, MADV_MERGEABLE))
		return fail(errno, "MADV_MERGEABLE: %s", strerror(errno));
	nt->ksm_merge = param_is(ctx, "how", "merge");
	ret = ksm_whole_pass(nt);
	if (!ret && !nt->ksm_merge)
		ret = ksm_whole_pass(nt);
	if (!ret)
		ret = nt_pages_now(nt, nt->after);
	if (ret)
		return ret;
	merged = sharing(nt->after, nt->visits);
	if (merged != (nt->ksm_merge ? 0 : nt->visits))
		return fail(EPROTO, "%" PRIu64 " of %" PRIu64 " pages are merged before the operation",
			    merged, nt->visits);
	return 0;
}

static int64_t ksm_host(struct bench_ctx *ctx, uint64_t n)
{
	const struct notifier *nt = nt_of(ctx);
	int ret;

	if (nt->ksm_merge) {
		ret = ksm_pass(nt);
		return ret ? ret : (int64_t)n;
	}
	if (madvise(nt->r.base, nt->r.bytes, MADV_UNMERGEABLE))
		return fail(errno, "MADV_UNMERGEABLE: %s", strerror(errno));
	return n;
}

static int ksm_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t merged = sharing(nt->after, nt->visits);

	(void)d;
	if (merged != (nt->ksm_merge ? nt->visits : 0))
		return fail(EPROTO, "%" PRIu64 " of %" PRIu64 " pages are merged",
			    merged, nt->visits);
	json_object_set_new(ctx->proof, "pages_merged", json_integer(merged));
	return 0;
}

/* Returns the instructions of the process itself: few if ksmd does the work. */
static uint64_t ksm_cost(const struct bench_ctx *ctx)
{
	return param_is(ctx, "how", "merge") ? 20 : 400;
}

static void ksm_teardown(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	if (nt->ksm_progress > 0)
		close(nt->ksm_progress);
	if (nt->ksm_sleep > 0)
		close(nt->ksm_sleep);
	nt_settings_teardown(ctx);
}

static const struct notifier_op notifier_ksm = {
	.bench = {
		.name = "notifier.ksm",
		.op = "one page; with measure=guest one that the guest accesses",
		.words = AFTER "KSM {how}" LISTENS,
		.measures = "merging identical pages by ksmd, or unmerging them by the process itself",
		.may_lie = "how=merge, measure=op: ksmd does the work, so instructions are only those of the waiting process, and ns includes the 0.1 ms or more until ksmd has finished a pass",
		BENCH_PARAMS(ksm_params),
		NOTIFIER_STEPS,
	},
	.cost = ksm_cost, .extra = 1,
	.refused = ksm_refused, .setup = ksm_setup, .fresh = ksm_fresh,
	.before = ksm_before, .host = ksm_host, .proof = ksm_proof,
	.teardown = ksm_teardown,
};
BENCH(408, notifier_ksm.bench);
