// SPDX-License-Identifier: GPL-2.0
/* See perf_words.h. */
#include "bench/harness/perf_words.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/util.h"

/* Those of perf's options that choose no threads or files and run no program. */
static const struct {
	const char *name;
	bool value, record, stat;
} options[] = {
	{ "-e", true, true, true }, { "--event", true, true, true },
	{ "--filter", true, true, true },
	{ "-i", false, true, true }, { "--no-inherit", false, true, true },
	{ "--all-kernel", false, true, true },
	{ "--all-user", false, true, true },
	{ "-M", true, false, true }, { "--metrics", true, false, true },
	{ "--metric-no-group", false, false, true },
	{ "--metric-no-merge", false, false, true },
	{ "-d", false, true, true }, { "--detailed", false, false, true },
	{ "--data", false, true, false },
	{ "-F", true, true, false }, { "--freq", true, true, false },
	{ "-c", true, true, false }, { "--count", true, true, false },
	{ "-g", false, true, false }, { "--call-graph", true, true, false },
	{ "-b", false, true, false }, { "--branch-any", false, true, false },
	{ "-j", true, true, false }, { "--branch-filter", true, true, false },
	{ "-m", true, true, false }, { "--mmap-pages", true, true, false },
	{ "-W", false, true, false }, { "--weight", false, true, false },
	{ "-P", false, true, false }, { "--period", false, true, false },
	{ "-T", false, true, false }, { "--timestamp", false, true, false },
	{ "--phys-data", false, true, false },
	{ "--data-page-size", false, true, false },
	{ "--code-page-size", false, true, false },
	{ "--sample-cpu", false, true, false },
	{ "--kernel-callchains", false, true, false },
	{ "--user-callchains", false, true, false },
	{ "--strict-freq", false, true, false },
};

static bool is_option(const char *name, size_t len, bool record, bool *value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		if (strncmp(options[i].name, name, len) ||
		    options[i].name[len] ||
		    !(record ? options[i].record : options[i].stat))
			continue;
		*value = options[i].value;
		return true;
	}
	return false;
}

int perf_words_check(char *const *words, unsigned int nr)
{
	const char *tool = nr ? words[0] : "";
	bool record = !strcmp(tool, "record");
	unsigned int i;

	if (!record && strcmp(tool, "stat"))
		return fail(EINVAL, "--perf takes 'record' or 'stat' and their options, not '%s'",
			    tool);
	for (i = 1; i < nr; i++) {
		const char *word = words[i];
		bool is_long = !strncmp(word, "--", 2), value, attached;
		size_t len = is_long ? strcspn(word, "=") : 2;

		if (*word != '-')
			return fail(EINVAL, "--perf: '%s' is no option of perf %s, and perf starts no program here",
				    word, tool);
		if (strlen(word) < 2 || !is_option(word, len, record, &value))
			return fail(EINVAL, "--perf: perf %s may not have %.*s here: ptelab says what is measured and where it goes; ptelab-run(1) lists what it may have",
				    tool, (int)len, word);
		attached = word[len];
		if (attached && !value)
			return fail(EINVAL, "--perf: perf %s's %.*s has no value, as in '%s'",
				    tool, (int)len, word, word);
		if (value && !attached && ++i == nr)
			return fail(EINVAL, "--perf: perf %s's %s needs a value",
				    tool, word);
	}
	return 0;
}
