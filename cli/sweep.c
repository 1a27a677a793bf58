// SPDX-License-Identifier: GPL-2.0
/*
 * See sweep.h.
 *
 * One file though it is long: a table of all keys, and the checks of their values.
 */
#include "cli/sweep.h"

#include <ctype.h>
#include <errno.h>
#include <libconfig.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "bench/harness/runner.h"
#include "cli/cmd.h"
#include "lib/choice.h"
#include "lib/util.h"

enum key_type { KEY_TEXT, KEY_TEXTS, KEY_NUMBER, KEY_COUNT, KEY_BOOL,
		KEY_CHOICE, KEY_KERNELS };

static const struct choice order_rows[] = {
	[ORDER_ABBA] = { "abba", "rounds of all kernels, every second one reversed" },
	[ORDER_BLOCKS] = { "blocks", "each round in a random order of its own" },
};
static const struct choices orders = CHOICES(order_rows);

/*
 * All keys: their values, where they are stored, and, if ptelab run has an option
 * for them, which. These options are passed on if the file has the key.
 */
static const struct key {
	const char *name;
	enum key_type type;
	size_t at;
	double def, min, max;
	const struct choices *choices;
	const char *option;
	bool always;		/* pass the default on, too; run has another one */
	const char *help;
} keys[] = {
#define KEY(member, kind)						\
	.name = #member, .type = KEY_##kind, .at = offsetof(struct sweep, member)
#define RANGE(deflt, low, high)	.def = deflt, .min = low, .max = high
	{ KEY(about, TEXT), .help = "description of the sweep" },
	{ KEY(bench, TEXTS), .option = "-b",
	  .help = "benchmarks to measure; required" },
	{ KEY(param, TEXTS), .option = "-p", .help = "values of parameters" },
	{ .name = "kernels", .type = KEY_KERNELS,
	  .help = "groups with a name and one of release, deb, image" },
	{ KEY(boots, COUNT), RANGE(8, 1, 1000),
	  .help = "boots of each kernel" },
	{ KEY(order, CHOICE), .choices = &orders,
	  .help = "order in which kernels take turns" },
	{ KEY(counter, CHOICE), .choices = &run_counters,
	  .option = "--counter", .always = true,
	  .help = "what counts kernel events" },
	{ KEY(seed, COUNT), RANGE(1, 0, INT32_MAX), .option = "--seed",
	  .always = true, .help = "seed of the order" },
	{ KEY(batches, COUNT), RANGE(RUN_BATCHES, 1, 1000000),
	  .option = "--batches", .help = "timed batches per point" },
	{ KEY(counted, COUNT), RANGE(RUN_COUNTED, 0, 1000),
	  .option = "--counted", .help = "counted batches per point" },
	{ KEY(warmup, COUNT), RANGE(RUN_WARMUP, 0, 1000),
	  .option = "--warmup", .help = "batches discarded first" },
	{ KEY(ops, COUNT), RANGE(0, 1, INT32_MAX), .option = "--ops",
	  .help = "operations per batch; 0: the benchmark's default" },
	{ KEY(min_batch_ms, NUMBER), RANGE(RUN_MIN_BATCH_MS, 0, 60000),
	  .option = "--min-batch-ms", .help = "minimum duration of a batch" },
	{ KEY(tune, BOOL), .def = true,
	  .help = "change noisy settings during a cell, and restore them" },
	{ KEY(boot_seconds, NUMBER), RANGE(180, 0, 86400),
	  .help = "seconds that a boot takes before it measures" },
	{ KEY(point_seconds, NUMBER), RANGE(0, 0, 86400),
	  .help = "seconds that a point takes; 0: guess" },
	{ KEY(minutes, NUMBER), RANGE(0, 1, 1e6),
	  .help = "budget that limits the number of boots; 0: none" },
	{ KEY(boot_timeout, COUNT), RANGE(900, 1, 86400),
	  .help = "seconds after which a boot has failed" },
	{ KEY(tries, COUNT), RANGE(3, 1, 100),
	  .help = "boots after which a cell has failed" },
	{ KEY(cmdline, TEXT),
	  .help = "more kernel parameters, the same for every kernel" },
};

static const char *const kernel_keys[] = {
	"name", "release", "deb", "image", "modules"
};

/* Fails with "FILE:LINE: KEY: ..."; an unnamed setting has its parent's key. */
static int bad(const struct sweep *s, const config_setting_t *at,
	       const char *fmt, ...) __printf(3, 4);
static int bad(const struct sweep *s, const config_setting_t *at,
	       const char *fmt, ...)
{
	const config_setting_t *named = at;
	char text[512];
	va_list ap;

	while (!config_setting_name(named) && config_setting_parent(named))
		named = config_setting_parent(named);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return fail(EINVAL, "%s:%u: %s: %s", s->path,
		    config_setting_source_line(at),
		    config_setting_name(named) ?: "the file", text);
}

/* Returns whether the text is one line, as files on hosts need. */
static bool one_line(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return false;
	return true;
}

static const char *text_value(const config_setting_t *v)
{
	const char *t = config_setting_get_string(v);

	return t && *t && one_line(t) ? t : NULL;
}

/* Returns the number that key @k has, or NAN with fail() text. */
static double number_value(const struct sweep *s, const config_setting_t *v,
			   const struct key *k)
{
	double n = NAN;

	switch (config_setting_type(v)) {
	case CONFIG_TYPE_INT:
		n = config_setting_get_int(v);
		break;
	case CONFIG_TYPE_INT64:
		n = config_setting_get_int64(v);
		break;
	case CONFIG_TYPE_FLOAT:
		if (k->type == KEY_NUMBER)
			n = config_setting_get_float(v);
		break;
	}
	if (!(n >= k->min && n <= k->max)) {
		bad(s, v, "takes a %s from %g to %g",
		    k->type == KEY_COUNT ? "whole number" : "number", k->min,
		    k->max);
		return NAN;
	}
	return n;
}

static int texts(const struct sweep *s, const config_setting_t *v,
		 struct text_list *list)
{
	int i, n = config_setting_is_scalar(v) ? 1 : config_setting_length(v);

	for (i = 0; i < n; i++) {
		const config_setting_t *e = config_setting_is_scalar(v) ? v :
			config_setting_get_elem(v, i);

		if (!text_value(e))
			return bad(s, e, "takes texts, such as [ \"gup.*\" ]");
		text_add(list, text_value(e));
	}
	return n ? 0 : bad(s, v, "is empty");
}

/* Returns a file name relative to the sweep file; the caller frees. */
static char *beside(const struct sweep *s, const char *name)
{
	const char *slash = strrchr(s->path, '/');

	if (!name)
		return NULL;
	if (*name == '/' || !slash)
		return xstrdup(name);
	return xasprintf("%.*s/%s", (int)(slash - s->path), s->path, name);
}

static void kernel_clear(struct sweep_kernel *k)
{
	free(k->name);
	free(k->release);
	free(k->deb);
	free(k->image);
	free(k->modules);
	memset(k, 0, sizeof(*k));
}

/* Returns whether the name suits a folder and a boot entry as well. */
static bool good_name(const char *name)
{
	return name && *name && strlen(name) <= 64 &&
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(name) &&
		*name != '.' && *name != '-';
}

static struct sweep_kernel *kernel_named(const struct sweep *s,
					 const char *name)
{
	size_t i;

	for (i = 0; i < s->nr_kernels; i++)
		if (!strcmp(s->kernel[i].name, name))
			return &s->kernel[i];
	return NULL;
}

static struct sweep_kernel *new_kernel(struct sweep *s)
{
	struct sweep_kernel *k;

	s->kernel = xrealloc(s->kernel,
			     (s->nr_kernels + 1) * sizeof(*s->kernel));
	k = &s->kernel[s->nr_kernels++];
	memset(k, 0, sizeof(*k));
	return k;
}

static int take_kernel(struct sweep *s, const config_setting_t *v)
{
	const char *name, *release = NULL, *deb = NULL, *image = NULL;
	const char *modules = NULL;
	struct sweep_kernel *k;
	int i;

	if (!config_setting_is_group(v))
		return bad(s, v, "takes groups, such as ( { name = \"base\"; release = \"6.12\"; } )");
	for (i = 0; i < config_setting_length(v); i++) {
		const config_setting_t *e = config_setting_get_elem(v, i);
		const char *key = config_setting_name(e), *near;

		near = nearest_name(key, kernel_keys, ARRAY_SIZE(kernel_keys));
		if (!near || strcmp(near, key))
			return bad(s, e, "a kernel has no such key%s%s%s",
				   near ? "; did you mean " : "", near ?: "",
				   near ? "?" : "");
		if (!text_value(e))
			return bad(s, e, "takes a text of one line");
	}
	if (!config_setting_lookup_string(v, "name", &name) ||
	    !good_name(name))
		return bad(s, v, "each kernel needs a name of letters, digits, '.', '_' and '-'");
	if (kernel_named(s, name))
		return bad(s, v, "two kernels have the name '%s'", name);
	config_setting_lookup_string(v, "release", &release);
	config_setting_lookup_string(v, "deb", &deb);
	config_setting_lookup_string(v, "image", &image);
	config_setting_lookup_string(v, "modules", &modules);
	if (!!release + !!deb + !!image != 1)
		return bad(s, v, "'%s' needs one of release, deb and image",
			   name);
	if (modules && !image)
		return bad(s, v, "'%s': modules go with an image", name);
	k = new_kernel(s);
	k->name = xstrdup(name);
	k->release = release ? xstrdup(release) : NULL;
	k->deb = beside(s, deb);
	k->image = beside(s, image);
	k->modules = beside(s, modules);
	return 0;
}

static int take_kernels(struct sweep *s, const config_setting_t *v)
{
	int i, ret;

	if (!config_setting_is_list(v) || !config_setting_length(v))
		return bad(s, v, "takes a list of groups, such as ( { name = \"base\"; release = \"6.12\"; } )");
	for (i = 0; i < config_setting_length(v); i++) {
		ret = take_kernel(s, config_setting_get_elem(v, i));
		if (ret)
			return ret;
	}
	return 0;
}

static int take_choice(const struct sweep *s, const config_setting_t *v,
		       const struct choices *c, unsigned int *nr)
{
	const char *text = text_value(v), *row;
	char *all;
	int ret;

	row = text ? choice_find(c, text) : NULL;
	if (row) {
		*nr = (row - (const char *)c->rows) / c->size;
		return 0;
	}
	all = choices_text(c);
	ret = bad(s, v, "takes %s", all);
	free(all);
	return ret;
}

static int take(struct sweep *s, const config_setting_t *v,
		const struct key *k)
{
	void *at = (char *)s + k->at;
	double n;

	switch (k->type) {
	case KEY_TEXT:
		if (!text_value(v))
			return bad(s, v, "takes a text of one line");
		*(char **)at = xstrdup(text_value(v));
		return 0;
	case KEY_TEXTS:
		return texts(s, v, at);
	case KEY_BOOL:
		if (config_setting_type(v) != CONFIG_TYPE_BOOL)
			return bad(s, v, "takes true or false");
		*(bool *)at = config_setting_get_bool(v);
		return 0;
	case KEY_CHOICE:
		return take_choice(s, v, k->choices, at);
	case KEY_KERNELS:
		return take_kernels(s, v);
	case KEY_NUMBER:
	case KEY_COUNT:
		break;
	}
	n = number_value(s, v, k);
	if (isnan(n))
		return -EINVAL;
	if (k->type == KEY_NUMBER)
		*(double *)at = n;
	else
		*(unsigned int *)at = n;
	return 0;
}

static void set_defaults(struct sweep *s)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		void *at = (char *)s + keys[i].at;

		if (keys[i].type == KEY_NUMBER)
			*(double *)at = keys[i].def;
		else if (keys[i].type == KEY_BOOL)
			*(bool *)at = keys[i].def;
		else if (keys[i].type == KEY_COUNT ||
			 keys[i].type == KEY_CHOICE)
			*(unsigned int *)at = keys[i].def;
	}
}

/* Returns a key's value in the syntax of ptelab run; the caller frees. */
static char *value_text(const struct key *k, const void *at)
{
	if (k->type == KEY_NUMBER)
		return xasprintf("%g", *(const double *)at);
	if (k->type == KEY_CHOICE)
		return xstrdup(choice_name(k->choices,
					   *(const unsigned int *)at));
	return xasprintf("%u", *(const unsigned int *)at);
}

void sweep_run_options(const struct sweep *s, struct text_list *l)
{
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct key *k = &keys[i];
		const void *at = (const char *)s + k->at;
		const struct text_list *texts = at;

		if (!k->option || !(k->always || s->given & 1U << i))
			continue;
		for (j = 0; k->type == KEY_TEXTS && j < texts->nr; j++) {
			text_add(l, k->option);
			text_add(l, xstrdup(texts->v[j]));
		}
		if (k->type != KEY_TEXTS) {
			text_add(l, k->option);
			text_add(l, value_text(k, at));
		}
	}
	if (s->tune)
		text_add(l, "--tune");
}

/* Returns the values of a key for sweep_print_keys(); the caller frees. */
static char *takes_text(const struct key *k)
{
	switch (k->type) {
	case KEY_COUNT:
	case KEY_NUMBER:
		return xasprintf("%.10g to %.10g; default %.10g", k->min, k->max, k->def);
	case KEY_BOOL:
		return xasprintf("true or false; default %s",
				 k->def ? "true" : "false");
	case KEY_CHOICE:
		return choices_help(k->choices);
	case KEY_TEXTS:
		return xstrdup("a list of texts");
	case KEY_KERNELS:
		return xstrdup("a list of groups");
	case KEY_TEXT:
		break;
	}
	return xstrdup("a text");
}

void sweep_print_keys(FILE *f)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		char *takes = takes_text(&keys[i]);

		print_line(f, 0, 4, "%s: %s (%s)", keys[i].name, keys[i].help,
			   takes);
		free(takes);
	}
}

static int take_all(struct sweep *s, const config_setting_t *root)
{
	const char *names[ARRAY_SIZE(keys)];
	size_t j;
	int i, ret;

	for (j = 0; j < ARRAY_SIZE(keys); j++)
		names[j] = keys[j].name;
	for (i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *v = config_setting_get_elem(root, i);
		const char *name = config_setting_name(v);
		const char *near = nearest_name(name, names, ARRAY_SIZE(names));

		for (j = 0; j < ARRAY_SIZE(keys); j++)
			if (!strcmp(keys[j].name, name))
				break;
		if (j == ARRAY_SIZE(keys))
			return bad(s, v, "no such key%s%s%s",
				   near ? "; did you mean " : "", near ?: "",
				   near ? "?" : "");
		ret = take(s, v, &keys[j]);
		if (ret)
			return ret;
		s->given |= 1U << j;
	}
	return 0;
}

/* Adds the line of the faulty selector to the message of points_expand(). */
static int bad_points(struct sweep *s, const config_setting_t *root)
{
	const config_setting_t *v = config_setting_get_member(root, "bench");
	char *why = xstrdup(fail_text());
	struct point_list one;
	int ret;
	size_t i;

	for (i = 0; v && i < s->bench.nr; i++) {
		if (!points_expand(&s->bench.v[i], 1, NULL, 0, &one)) {
			points_free(&one);
			continue;
		}
		ret = bad(s, config_setting_is_scalar(v) ? v :
			  config_setting_get_elem(v, i), "%s", fail_text());
		free(why);
		return ret;
	}
	v = config_setting_get_member(root, "param") ?: v;
	ret = bad(s, v, "%s", why);
	free(why);
	return ret;
}

/*
 * libconfig would read another file, of any kind, and name the wrong one in its
 * errors.
 */
static int refuse_includes(const struct sweep *s, const char *text)
{
	unsigned int line = 1;

	for (;; line++) {
		text += strspn(text, " \t");
		if (!strncmp(text, "@include", 8))
			return fail(EINVAL, "%s:%u: @include is not supported; a sweep is one file",
				    s->path, line);
		text = strchr(text, '\n');
		if (!text)
			return 0;
		text++;
	}
}

static int read_config(struct sweep *s, config_t *c)
{
	config_setting_t *root;
	char *text = read_file(s->path, NULL);
	int ret;

	if (!text)
		return -errno;
	ret = refuse_includes(s, text);
	if (ret) {
		free(text);
		return ret;
	}
	ret = config_read_string(c, text);
	free(text);
	if (ret != CONFIG_TRUE)
		return fail(EINVAL, "%s:%d: %s", s->path, config_error_line(c),
			    config_error_text(c));
	root = config_root_setting(c);
	ret = take_all(s, root);
	if (ret)
		return ret;
	if (!s->bench.nr)
		return fail(EINVAL, "%s: bench: is missing; it lists what to measure, e.g. bench = [ \"gup.*\" ];",
			    s->path);
	if (points_expand(s->bench.v, s->bench.nr, s->param.v, s->param.nr,
			  &s->points))
		return bad_points(s, root);
	return 0;
}

struct sweep *sweep_load(const char *path)
{
	struct sweep *s = xcalloc(1, sizeof(*s));
	config_t *c = xcalloc(1, sizeof(*c));

	config_init(c);
	s->config = c;
	s->path = xstrdup(path);
	set_defaults(s);
	if (read_config(s, c)) {
		sweep_free(s);
		return NULL;
	}
	return s;
}

void sweep_free(struct sweep *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->nr_kernels; i++)
		kernel_clear(&s->kernel[i]);
	free(s->kernel);
	free(s->bench.v);
	free(s->param.v);
	free(s->about);
	free(s->cmdline);
	free(s->path);
	points_free(&s->points);
	config_destroy(s->config);
	free(s->config);
	free(s);
}

static bool ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), t = strlen(tail);

	return n > t && !strcmp(s + n - t, tail);
}

int sweep_add_kernel(struct sweep *s, const char *text)
{
	const char *what = strchr(text, '='), *comma;
	struct sweep_kernel *k;
	char *name;

	if (!what || !what[1] || !one_line(text))
		return fail(EINVAL, "kernel '%s': write NAME=WHAT, e.g. base=6.12.9-arm64 or patched=linux-image.deb",
			    text);
	name = xasprintf("%.*s", (int)(what - text), text);
	what++;
	if (!good_name(name)) {
		free(name);
		return fail(EINVAL, "kernel '%s': its name may have letters, digits, '.', '_' and '-'",
			    text);
	}
	k = kernel_named(s, name);
	if (k)
		kernel_clear(k);
	else
		k = new_kernel(s);
	k->name = name;
	comma = strchr(what, ',');
	if (ends_with(what, ".deb")) {
		k->deb = xstrdup(what);
	} else if (comma) {
		k->image = xasprintf("%.*s", (int)(comma - what), what);
		k->modules = xstrdup(comma + 1);
	} else if (strchr(what, '/')) {
		k->image = xstrdup(what);
	} else {
		k->release = xstrdup(what);
	}
	return 0;
}

const struct sweep_kernel *sweep_find_kernel(const struct sweep *s,
					     const char *name)
{
	const struct sweep_kernel *k = kernel_named(s, name);
	const char **names, *near;
	size_t i;

	if (k)
		return k;
	names = xcalloc(s->nr_kernels + 1, sizeof(*names));
	for (i = 0; i < s->nr_kernels; i++)
		names[i] = s->kernel[i].name;
	near = nearest_name(name, names, s->nr_kernels);
	free(names);
	return fail_null(ENOENT, "%s: no kernel '%s'%s%s%s", s->path, name,
			 near ? "; did you mean " : "", near ?: "",
			 near ? "?" : "");
}
