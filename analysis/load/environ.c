// SPDX-License-Identifier: GPL-2.0
/* See environ.h. */
#include "analysis/load/environ.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record.h"
#include "lib/util.h"

/*
 * Of values longer than this many characters print only the words that differ.
 */
#define LONG_VALUE	40

static char *value_text(const json_t *value)
{
	if (!value || json_is_null(value))
		return xstrdup("(unknown)");
	if (json_is_array(value) || json_is_object(value)) {
		char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);

		return text ? text : xstrdup("(unknown)");
	}
	return param_value_text(value);
}

static void put(json_t *flat, const char *prefix, const char *key,
		const json_t *value)
{
	char *name = xasprintf("%s%s", prefix, key), *text = value_text(value);

	json_object_set_new(flat, name, json_string(text));
	free(name);
	free(text);
}

static void put_members(json_t *flat, const char *prefix, json_t *object,
			const char *except)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
		if (strcmp(key, except))
			put(flat, prefix, key, value);
}

/*
 * Returns whether a word of a kernel command line names the kernel or the boot,
 * rather than a setting.
 */
static bool is_image_word(const char *word, size_t len)
{
	static const char *const names[] = { "BOOT_IMAGE=", "initrd=",
					     "ptelab.seed=", "ptelab.kernel=" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (len >= strlen(names[i]) &&
		    !strncmp(word, names[i], strlen(names[i])))
			return true;
	return false;
}

static void put_cmdline(json_t *flat, const char *cmdline)
{
	char *kept = xcalloc(strlen(cmdline) + 2, 1), *to = kept;
	size_t len;

	for (; *cmdline; cmdline += len) {
		cmdline += strspn(cmdline, " \t\n");
		len = strcspn(cmdline, " \t\n");
		if (!len || is_image_word(cmdline, len))
			continue;
		if (to != kept)
			*to++ = ' ';
		memcpy(to, cmdline, len);
		to += len;
	}
	json_object_set_new(flat, "cmdline", json_string(kept));
	free(kept);
}

/*
 * Returns everything of a header that is compared, name to text. A new
 * reference.
 */
static json_t *flat_header(const struct run_file *f)
{
	static const char *const plain[] = { "kernel_release",
		"kernel_version", "build_id", "version", "config_hash", "arch",
		"page_size" };
	const json_t *h = f->header;
	json_t *flat = json_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(plain); i++)
		put(flat, "", plain[i], json_object_get(h, plain[i]));
	put_cmdline(flat, json_text(h, "cmdline"));
	put_members(flat, "cpu.", json_object_get(h, "cpu"), "");
	put_members(flat, "machine.", json_object_get(h, "machine"), "mode");
	put_members(flat, "", json_object_get(h, "environment"), "");
	/*
	 * leave out granularity and cost of a clock, which are measured each
	 * time
	 */
	if (!strcmp(file_mode(f), "timed"))
		put(flat, "clock.", "source", json_object_get(
				json_object_get(h, "clock"), "source"));
	return flat;
}

/*
 * Returns whether the key identifies the kernel, which a comparison expects to
 * differ.
 */
static bool is_identity(const char *key)
{
	return !strcmp(key, "kernel_release") ||
	       !strcmp(key, "kernel_version") || !strcmp(key, "build_id");
}

static bool is_allowed(const char *key, const char *const *allow, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!fnmatch(allow[i], key, 0))
			return true;
	return false;
}

static void add(struct env_differences *e, struct env_difference d,
		const char *base, const char *new)
{
	d.base = xstrdup(base);
	d.new = xstrdup(new);
	e->d = grow(e->d, e->nr, sizeof(*e->d));
	e->d[e->nr++] = d;
}

struct env_context {
	struct env_differences *out;
	const char *mode;
	const char *const *allow;
	size_t nr_allow;
};

static void differ(struct env_context *c, const char *key,
		   enum env_scope scope, bool matters, const char *base,
		   const char *new)
{
	struct env_difference d = {
		.key = xstrdup(key), .mode = xstrdup(c->mode), .scope = scope,
		.matters = matters,
		.allowed = is_allowed(key, c->allow, c->nr_allow),
	};

	add(c->out, d, base, new);
}

/* Returns the text of @key, or a text for a missing one. */
static const char *flat_text(const json_t *flat, const char *key)
{
	const char *text = json_string_value(json_object_get(flat, key));

	return text ? text : "(none)";
}

/*
 * Returns the keys that @a or @b has, as an object; its values mean nothing. A
 * new reference.
 */
static json_t *keys_of(json_t *a, json_t *b)
{
	json_t *keys = json_copy(a);

	json_object_update_missing(keys, b);
	return keys;
}

/*
 * Compares two flat headers. Within a side the kernel's identity counts as
 * well, because all boots of a side must be of one kernel.
 */
static void compare_flat(struct env_context *c, json_t *a, json_t *b,
			 enum env_scope scope, json_t *seen)
{
	json_t *keys = keys_of(a, b), *value;
	const char *key;

	json_object_foreach(keys, key, value) {
		const char *x = flat_text(a, key), *y = flat_text(b, key);

		if (!strcmp(x, y) || json_object_get(seen, key))
			continue;
		json_object_set_new(seen, key, json_true());
		differ(c, key, scope,
		       scope != ENV_BETWEEN || !is_identity(key), x, y);
	}
	json_decref(keys);
}

/* Returns the first file of a mode on a side; NULL if it has none. */
static const struct run_file *first_of(const struct side *s, const char *mode)
{
	size_t i;

	for (i = 0; i < s->run->nr_files; i++)
		if (!strcmp(file_mode(s->run->files[i]), mode))
			return s->run->files[i];
	return NULL;
}

static void compare_within(struct env_context *c, const struct side *s,
			   enum env_scope scope)
{
	json_t *first = NULL, *seen = json_object();
	size_t i;

	for (i = 0; i < s->run->nr_files; i++) {
		json_t *flat;

		if (strcmp(file_mode(s->run->files[i]), c->mode))
			continue;
		flat = flat_header(s->run->files[i]);
		if (!first) {
			first = flat;
			continue;
		}
		compare_flat(c, first, flat, scope, seen);
		json_decref(flat);
	}
	json_decref(first);
	json_decref(seen);
}

static int by_number(const void *a, const void *b)
{
	json_int_t x = *(const json_int_t *)a, y = *(const json_int_t *)b;

	return (x > y) - (x < y);
}

/*
 * Returns the different seeds of a side's boots in a mode, "1 2 3". The caller
 * frees.
 */
static char *seeds_text(const struct side *s, const char *mode)
{
	json_int_t *seeds = xcalloc(s->run->nr_files, sizeof(*seeds));
	char *text = xstrdup("");
	size_t nr = 0, i;

	for (i = 0; i < s->run->nr_files; i++)
		if (!strcmp(file_mode(s->run->files[i]), mode))
			seeds[nr++] = json_integer_value(json_object_get(
					s->run->files[i]->header, "seed"));
	qsort(seeds, nr, sizeof(*seeds), by_number);
	for (i = 0; i < nr; i++) {
		char *more;

		if (i && seeds[i] == seeds[i - 1])
			continue;
		more = xasprintf("%s%s%" JSON_INTEGER_FORMAT, text,
				 *text ? " " : "", seeds[i]);
		free(text);
		text = more;
	}
	free(seeds);
	return text;
}

static void compare_seeds(struct env_context *c, const struct side *base,
			  const struct side *new)
{
	char *x = seeds_text(base, c->mode), *y = seeds_text(new, c->mode);

	/* on real hardware seeds don't matter, because boots are a sample */
	if (strcmp(x, y))
		differ(c, "seeds", ENV_BETWEEN, strcmp(c->mode, "timed"), x, y);
	free(x);
	free(y);
}

static void compare_mode(struct env_context *c, const struct side *base,
			 const struct side *new)
{
	const struct run_file *b = first_of(base, c->mode);
	const struct run_file *n = first_of(new, c->mode);
	json_t *x, *y, *seen;

	/* the points of a mode that one side lacks are reported as missing */
	if (!b || !n)
		return;
	compare_within(c, base, ENV_WITHIN_BASE);
	compare_within(c, new, ENV_WITHIN_NEW);
	x = flat_header(b);
	y = flat_header(n);
	seen = json_object();
	compare_flat(c, x, y, ENV_BETWEEN, seen);
	compare_seeds(c, base, new);
	json_decref(seen);
	json_decref(x);
	json_decref(y);
}

struct env_differences env_compare(const struct side *base,
				   const struct side *new,
				   const char *const *allow, size_t nr_allow)
{
	struct env_differences e = { 0 };
	struct env_context c = { .out = &e, .allow = allow,
				 .nr_allow = nr_allow };
	json_t *seen = json_object();
	size_t i;

	for (i = 0; i < base->nr_boots; i++) {
		c.mode = base->boots[i].mode;
		if (json_object_get(seen, c.mode))
			continue;
		json_object_set_new(seen, c.mode, json_true());
		compare_mode(&c, base, new);
	}
	json_decref(seen);
	return e;
}

void env_free(struct env_differences *e)
{
	size_t i;

	for (i = 0; i < e->nr; i++) {
		free(e->d[i].key);
		free(e->d[i].mode);
		free(e->d[i].base);
		free(e->d[i].new);
	}
	free(e->d);
	memset(e, 0, sizeof(*e));
}

size_t env_refused(const struct env_differences *e)
{
	size_t nr = 0, i;

	for (i = 0; i < e->nr; i++)
		nr += e->d[i].matters && !e->d[i].allowed;
	return nr;
}

bool env_said_before(const struct env_differences *e, size_t nr)
{
	const struct env_difference *d = &e->d[nr];
	size_t i;

	for (i = 0; i < nr; i++)
		if (e->d[i].scope == d->scope && !strcmp(e->d[i].key, d->key) &&
		    !strcmp(e->d[i].base, d->base) &&
		    !strcmp(e->d[i].new, d->new))
			return true;
	return false;
}

const char *env_scope_name(enum env_scope scope)
{
	static const char *const names[] = { "between", "within base",
					     "within new" };

	return names[scope];
}

static bool has_word(const char *text, const char *word, size_t len)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		if (n == len && !strncmp(text, word, len))
			return true;
		text += n;
		text += strspn(text, " ");
	}
	return false;
}

/*
 * Returns the words of @a that @b does not have; "(nothing)" if there are none.
 * The caller frees.
 */
static char *words_only_in(const char *a, const char *b)
{
	char *text = xstrdup("");
	size_t n;

	for (; *a; a += n, a += strspn(a, " ")) {
		char *more;

		n = strcspn(a, " ");
		if (!n || has_word(b, a, n))
			continue;
		more = xasprintf("%s%s%.*s", text, *text ? " " : "", (int)n, a);
		free(text);
		text = more;
	}
	if (!*text) {
		free(text);
		text = xstrdup("(nothing)");
	}
	return text;
}

char *env_difference_text(const struct env_difference *d)
{
	static const char *const who[][2] = {
		{ "base", "new" },
		{ "a base boot", "another" },
		{ "a new boot", "another" },
	};
	const char *has = "";
	bool words = strlen(d->base) > LONG_VALUE ||
		     strlen(d->new) > LONG_VALUE;
	char *x, *y, *text;

	/* one word, such as a hash, or the same words in another order */
	words = words && (strchr(d->base, ' ') || strchr(d->new, ' '));
	x = words ? words_only_in(d->base, d->new) : xstrdup(d->base);
	y = words ? words_only_in(d->new, d->base) : xstrdup(d->new);
	if (words && !strcmp(x, y)) {
		free(x);
		free(y);
		x = xstrdup(d->base);
		y = xstrdup(d->new);
	}
	if (words)
		has = "has ";
	text = xasprintf("%s: %s %s%s, %s %s%s", d->key, who[d->scope][0], has,
			 x, who[d->scope][1], has, y);
	free(x);
	free(y);
	return text;
}
