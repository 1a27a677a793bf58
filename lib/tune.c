// SPDX-License-Identifier: GPL-2.0
/* See tune.h. */
#include "lib/tune.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "lib/journal.h"
#include "lib/util.h"

#define CPU	"/sys/devices/system/cpu"
#define THP	"/sys/kernel/mm/transparent_hugepage"

/* Add a new setting here; "want" must be what the file reads afterwards. */
const struct tune_knob tune_knobs[] = {
	{ "governor", CPU "/cpu[0-9]*/cpufreq/scaling_governor", "performance",
	  NULL, "the clock rate follows the load: the first batches and threads that wait are slow" },
	{ "turbo", CPU "/intel_pstate/no_turbo", "1", NULL,
	  "the clock rate follows temperature and the other cores: a drift over the session" },
	{ "boost", CPU "/cpufreq/boost", "0", NULL,
	  "the clock rate follows temperature and the other cores: a drift over the session" },
	{ "idle states", CPU "/cpu[0-9]*/cpuidle/state[2-9]/disable", "1", NULL,
	  "leaving a deep state takes microseconds and empties caches: racers and notifications are late" },
	{ "SMT", CPU "/smt/active", "0", CPU "/smt/control",
	  "a sibling thread shares the core's pipelines and caches: two speeds, depending on its load" },
	{ "NUMA balancing", "/proc/sys/kernel/numa_balancing", "0", NULL,
	  "it makes PTEs PROT_NONE while a benchmark runs: extra faults, and folios that move" },
	{ "KSM", "/sys/kernel/mm/ksm/run", "0", NULL,
	  "it write-protects and merges pages: extra faults and notifier calls" },
	{ "khugepaged", THP "/khugepaged/defrag", "0", NULL,
	  "it may collapse the measured region: folios change size in the middle of a batch" },
	{ "compaction", "/proc/sys/vm/compaction_proactiveness", "0", NULL,
	  "kcompactd moves pages in the background: migrations, TLB flushes and another CPU's load" },
	{ "watchdog", "/proc/sys/kernel/watchdog", "0", NULL,
	  "its perf event occupies a PMU counter and interrupts: the other counters are multiplexed" },
	{ "timer migration", "/proc/sys/kernel/timer_migration", "0", NULL,
	  "timers of other CPUs may fire on the measuring one: single slow batches" },
	{ "counter reads", "/proc/sys/kernel/perf_user_access", "1", NULL,
	  "counters are read by system calls, which add some 800 instructions to each batch instead of 40" },
};

const size_t tune_knobs_nr = ARRAY_SIZE(tune_knobs);

static void find(const struct tune_knob *k, const char *root, glob_t *g)
{
	char *pattern = xasprintf("%s%s", root, k->path);

	memset(g, 0, sizeof(*g));
	if (glob(pattern, 0, NULL, g))
		g->gl_pathc = 0;
	free(pattern);
}

/*
 * Returns the value to write for a knob's file; *@to gets the file to write it
 * to, which the caller frees.
 */
static const char *to_write(const struct tune_knob *k, const char *root,
			    const char *path, char **to)
{
	*to = k->applies ? xasprintf("%s%s", root, k->applies) : xstrdup(path);
	return k->applies ? "off" : k->want;
}

struct tune_state tune_look(const struct tune_knob *k, const char *root)
{
	struct tune_state s = { 0 };
	glob_t g;
	size_t i;

	find(k, root, &g);
	for (i = 0; i < g.gl_pathc; i++) {
		char *value = setting_read(g.gl_pathv[i]), *to;
		const char *want;

		if (!value)
			continue;
		s.files++;
		if (!strcmp(value, k->want)) {
			if (!s.value)
				s.value = xstrdup(value);
		} else if (!s.off++) {
			free(s.value);
			s.value = xstrdup(value);
			want = to_write(k, root, g.gl_pathv[i], &to);
			s.command = g.gl_pathc > 1 ?
				xasprintf("echo %s | tee %s%s", want, root,
					  k->path) :
				xasprintf("echo %s > %s", want, to);
			free(to);
		}
		free(value);
	}
	globfree(&g);
	return s;
}

void tune_state_free(struct tune_state *s)
{
	free(s->value);
	free(s->command);
}

/*
 * Sets one file. Returns 1 if it changed, 0 if it was set already, or -errno.
 */
static int set_one(const struct tune_knob *k, const char *root,
		   const char *path)
{
	char *value = setting_read(path), *to;
	const char *want;
	int ret;

	if (!value)
		return 0;
	ret = strcmp(value, k->want);
	free(value);
	if (!ret)
		return 0;
	want = to_write(k, root, path, &to);
	ret = journal_set(to, want);
	free(to);
	return ret ? ret : 1;
}

int tune_apply(const char *root, size_t *set)
{
	size_t i, j, failed = 0;
	int ret, first = 0;

	*set = 0;
	for (i = 0; i < tune_knobs_nr; i++) {
		bool told = false;
		glob_t g;

		find(&tune_knobs[i], root, &g);
		for (j = 0; j < g.gl_pathc; j++) {
			ret = set_one(&tune_knobs[i], root, g.gl_pathv[j]);
			*set += ret > 0;
			if (ret >= 0)
				continue;
			failed++;
			first = first ? first : ret;
			if (!told)
				warn("%s is left as it is: %s",
				     tune_knobs[i].name, fail_text());
			told = true;
		}
		globfree(&g);
	}
	if (failed && !*set)
		return fail(-first, "--tune: none of %zu settings could be changed (%s); is this root?",
			    failed, strerror(-first));
	return 0;
}
