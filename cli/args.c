// SPDX-License-Identifier: GPL-2.0
/* See args.h. */
#include "cli/args.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/util.h"

bool args_quiet, args_verbose;

static const struct argp_option common_options[] = {
	{ "quiet", 'q', NULL, 0, "print results only", -1 },
	{ "verbose", 'v', NULL, 0, "leave nothing out", -1 },
	{ 0 }
};

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		/* no second line ("Try ...") after an error */
		state->err_stream = NULL;
		break;
	case 'q':
		args_quiet = true;
		break;
	case 'v':
		args_verbose = true;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

int args_parse(const struct argp *argp, int argc, char **argv,
	       unsigned int flags)
{
	const struct argp_child children[] = { { argp, 0, NULL, 0 }, { 0 } };
	const struct argp all = { .options = common_options,
				  .parser = parse_common,
				  .children = children };
	int ret = argp_parse(&all, argc, argv, flags, NULL, NULL);

	/* getopt has printed what is wrong */
	if (ret && !*fail_text())
		exit(EXIT_COULD_NOT);
	return ret;
}

void args_error(const struct argp_state *state, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", state->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_COULD_NOT);
}

void text_add(struct text_list *l, const char *item)
{
	l->v = grow(l->v, l->nr, sizeof(*l->v));
	l->v[l->nr++] = item;
}

/* Returns whether @dir/@name is a folder. */
static bool has_folder(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct stat st;
	bool yes = !stat(path, &st) && S_ISDIR(st.st_mode);

	free(path);
	return yes;
}

void add_runs_of(struct text_list *runs, const char *path)
{
	static struct text_list made;	/* owns the paths that @runs refers to */
	static const char *const sides[] = { "base", "patched" };
	size_t i;

	if (!has_folder(path, sides[0]) || !has_folder(path, sides[1])) {
		text_add(runs, path);
		return;
	}
	for (i = 0; i < 2; i++) {
		text_add(&made, xasprintf("%s/%s", path, sides[i]));
		text_add(runs, made.v[made.nr - 1]);
	}
}

void two_runs_needed(const struct argp_state *state)
{
	args_error(state, "two runs are needed: BASE and NEW, or a folder of make ab, which holds base/ and patched/");
}

void text_split(struct text_list *l, char *items)
{
	char *save, *item;

	for (item = strtok_r(items, ",", &save); item;
	     item = strtok_r(NULL, ",", &save))
		text_add(l, item);
}

double percent_arg(const char *option, const char *text, double below,
		   struct argp_state *state)
{
	char *end;
	double percent = strtod(text, &end);

	if (end == text || (*end && strcmp(end, "%")) || !isfinite(percent) ||
	    percent <= 0 || percent >= below)
		args_error(state, "%s takes a percentage above 0 and below %g, not '%s'",
			   option, below, text);
	return percent / 100;
}

uint64_t number_arg(const char *option, const char *text, uint64_t min,
		    uint64_t max, struct argp_state *state)
{
	uint64_t v;

	if (parse_u64(text, &v) || v < min || v > max)
		args_error(state, "%s takes a whole number from %llu to %llu, not '%s'",
			   option, (unsigned long long)min,
			   (unsigned long long)max, text);
	return v;
}

const void *choice_arg(const char *option, const struct choices *c,
		       const char *text, struct argp_state *state)
{
	const void *row = choice_find(c, text);
	char *all;

	if (!row && !strcmp(text, "help")) {
		choices_print(c, stdout);
		exit(EXIT_DONE);
	}
	if (!row) {
		all = choices_text(c);
		args_error(state, "%s takes %s, not '%s'", option, all, text);
		free(all);
	}
	return row;
}

static error_t parse_bench(int key, char *arg, struct argp_state *state)
{
	if (key != 'b')
		return ARGP_ERR_UNKNOWN;
	return select_bench(state->input, arg) ? EINVAL : 0;
}

static error_t parse_metric(int key, char *arg, struct argp_state *state)
{
	if (key != 'm')
		return ARGP_ERR_UNKNOWN;
	select_metric(state->input, arg);
	return 0;
}

enum { OPT_ALLOW = 512, OPT_MARGIN };

static error_t parse_allow(int key, char *arg, struct argp_state *state)
{
	if (key != OPT_ALLOW)
		return ARGP_ERR_UNKNOWN;
	text_split(state->input, arg);
	return 0;
}

static error_t parse_margin(int key, char *arg, struct argp_state *state)
{
	if (key != OPT_MARGIN)
		return ARGP_ERR_UNKNOWN;
	*(double *)state->input = percent_arg("--margin", arg, 100, state);
	return 0;
}

static const struct argp_option bench_options[] = {
	{ "bench", 'b', "GLOB[:k=v,v]", 0,
	  "select points; may be repeated", 0 },
	{ 0 }
};

static const struct argp_option metric_options[] = {
	{ "metric", 'm', "GLOB", 0, "select metrics; may be repeated", 0 },
	{ 0 }
};

static const struct argp_option allow_options[] = {
	{ "allow", OPT_ALLOW, "KEY,...", 0,
	  "accept these differences of the environments; globs", 0 },
	{ 0 }
};

static const struct argp_option margin_options[] = {
	{ "margin", OPT_MARGIN, "PERCENT", 0,
	  "timed rows: ignore changes up to this size; default 1", 0 },
	{ 0 }
};

const struct argp bench_argp = { .options = bench_options,
				 .parser = parse_bench };
const struct argp metric_argp = { .options = metric_options,
				  .parser = parse_metric };
const struct argp allow_argp = { .options = allow_options,
				 .parser = parse_allow };
const struct argp margin_argp = { .options = margin_options,
				  .parser = parse_margin };

/* --- selections that match nothing --- */

/* Returns the keys as "a, b and 3 more"; the caller frees. */
static char *some_names(const json_t *names)
{
	size_t nr = json_object_size(names), i = 0;
	char *text = xstrdup(""), *more;
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)names, name, value) {
		if (i == 6)
			break;
		more = xasprintf("%s%s%s", text, i++ ? ", " : "", name);
		free(text);
		text = more;
	}
	if (nr <= i)
		return text;
	more = xasprintf("%s and %zu more", text, nr - i);
	free(text);
	return more;
}

/*
 * Fails with the nearest name, or the names that there are. @what: "-b" or
 * "-m". Returns -ENOENT.
 */
static int matches_nothing(const char *what, const char *text,
			   const json_t *names)
{
	size_t all = json_object_size(names), nr = 0;
	const char **name = xcalloc(all + 1, sizeof(*name)), *near;
	json_t *value;
	const char *key;
	char *list;
	int ret;

	json_object_foreach((json_t *)names, key, value)
		name[nr++] = key;
	near = nearest_name(text, name, nr);
	list = some_names(names);
	if (near)
		ret = fail(ENOENT, "%s '%s' matches nothing in these runs; did you mean %s?",
			   what, text, near);
	else
		ret = fail(ENOENT, "%s '%s' matches nothing in these runs; they have %s",
			   what, text, nr ? list : "no points");
	free(list);
	free(name);
	return ret;
}

/*
 * Calls @see for each point of each file until it returns true; returns whether
 * it did.
 */
static bool any_record(struct side *const *side, size_t nr,
		       bool (*see)(const json_t *point, void *arg), void *arg)
{
	size_t i, j, k;

	for (i = 0; i < nr; i++)
		for (j = 0; j < side[i]->run->nr_files; j++) {
			const struct run_file *f = side[i]->run->files[j];

			for (k = 0; k < f->nr_points; k++)
				if (see(f->points[k], arg))
					return true;
		}
	return false;
}

struct bench_search {
	struct selection only;	/* a single -b */
	json_t *benches;	/* names seen */
	json_t *points;		/* seen of benchmarks whose name matches */
};

static bool see_bench(const json_t *point, void *arg)
{
	const char *bench = json_text(point, "bench");
	const json_t *params = json_object_get(point, "params");
	struct bench_search *s = arg;
	char *text, *label;

	if (selected_point(&s->only, bench, params))
		return true;
	json_object_set_new(s->benches, bench, json_true());
	if (!fnmatch(s->only.parsed->glob, bench, 0)) {
		text = params_text(params, ":");
		label = xasprintf("%s%s%s", bench, *text ? ":" : "", text);
		json_object_set_new(s->points, label, json_true());
		free(label);
		free(text);
	}
	return false;
}

static int check_bench(struct side *const *side, size_t nr,
		       const struct selection *select, size_t i)
{
	struct bench_search s = {
		.only = { .benches = &select->benches[i],
			  .parsed = &select->parsed[i], .nr_benches = 1 },
		.benches = json_object(), .points = json_object(),
	};
	int ret = 0;

	if (!any_record(side, nr, see_bench, &s))
		ret = matches_nothing("-b", select->benches[i],
				      json_object_size(s.points) ?
				      s.points : s.benches);
	json_decref(s.benches);
	json_decref(s.points);
	return ret;
}

struct metric_search {
	struct selection only;	/* a single -m */
	json_t *names;		/* metrics seen */
};

static bool see_metric(const json_t *point, void *arg)
{
	static const char *const kinds[] = { "counters", "absent" };
	struct metric_search *s = arg;
	const char *name;
	json_t *value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		json_object_foreach(json_object_get(point, kinds[i]), name,
				    value) {
			if (selected_metric(&s->only, name))
				return true;
			if (!i)
				json_object_set_new(s->names, name,
						    json_true());
		}
	return false;
}

static int check_metric(struct side *const *side, size_t nr,
			const char *metric)
{
	struct metric_search s = {
		.only = { .metrics = &metric, .nr_metrics = 1 },
		.names = json_object(),
	};
	int ret = 0;

	if (!any_record(side, nr, see_metric, &s))
		ret = matches_nothing("-m", metric, s.names);
	json_decref(s.names);
	return ret;
}

int args_check_selection(struct side *const *side, size_t nr,
			 const struct selection *select)
{
	int ret = 0;
	size_t i;

	for (i = 0; i < select->nr_benches && !ret; i++)
		ret = check_bench(side, nr, select, i);
	for (i = 0; i < select->nr_metrics && !ret; i++)
		ret = check_metric(side, nr, select->metrics[i]);
	return ret;
}

int with_runs(struct text_list *runs, struct text_list *allow,
	      struct selection *select, bool whole,
	      int (*use)(struct side *const *side, size_t nr))
{
	struct side **side = xcalloc(runs->nr, sizeof(*side));
	int ret = EXIT_COULD_NOT;
	size_t nr;

	for (nr = 0; nr < runs->nr; nr++) {
		side[nr] = side_load(runs->v[nr], whole ? NULL : select);
		if (!side[nr])
			break;
	}
	if (nr == runs->nr && !args_check_selection(side, nr, select))
		ret = use(side, nr);
	while (nr)
		side_free(side[--nr]);
	free(side);
	selection_free(select);
	free(allow->v);
	free(runs->v);
	return ret;
}
