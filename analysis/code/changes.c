// SPDX-License-Identifier: GPL-2.0
/* See changes.h. */
#include "analysis/code/changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/load/load.h"
#include "lib/util.h"

bool changes_none(const struct changes *c)
{
	return !c->match->nr_code && !c->match->nr_data;
}

enum ran_state changes_ran(const struct changes *c)
{
	size_t i, all = 0, never = 0, outside = 0, known = 0;

	for (i = 0; i < c->match->nr_code; i++) {
		const struct changed_function *f = &c->functions[i];

		known += f->ran != RAN_UNKNOWN;
		never += f->ran == RAN_NEVER;
		outside += f->ran == RAN_OUTSIDE;
		all += f->ran == RAN_ALL;
	}
	if (!known)
		return RAN_UNKNOWN;
	if (never + outside == known)
		return outside ? RAN_OUTSIDE : RAN_NEVER;
	return all == known ? RAN_ALL : RAN_PART;
}

const char *ran_state_name(enum ran_state ran)
{
	static const char *const names[] = {
		[RAN_UNKNOWN] = "unknown", [RAN_NEVER] = "never ran",
		[RAN_OUTSIDE] = "ran outside",
		[RAN_PART] = "ran in part", [RAN_ALL] = "ran",
	};

	return names[ran];
}

/* --- functions and objects --- */

static int side_of(enum change_kind kind)
{
	return kind == GONE ? CODE_BASE : CODE_NEW;
}

static const struct image_function *machine_function(const struct changes *c,
					const struct code_change *code)
{
	int s = side_of(code->kind);

	return &c->image[s]->functions[code->function[s]];
}

/*
 * Returns an address in the middle of a function. Its start may be NOPs for
 * ftrace, which debugging information does not take for a part of the function.
 */
static uint64_t inner_address(const struct image_function *m)
{
	return m->start + ((m->end - m->start) / 2 & ~3ULL);
}

static void name_functions(struct changes *c)
{
	size_t i, k;

	c->functions = xcalloc(c->match->nr_code + 1, sizeof(*c->functions));
	for (i = 0; i < c->match->nr_code; i++) {
		const struct code_change *code = &c->match->code[i];
		struct changed_function *f = &c->functions[i];
		const struct image_function *m = machine_function(c, code);
		struct lines *l = c->lines[side_of(code->kind)];

		f->code = code;
		f->name = m->name;
		/*
		 * debugging information of assembly has lines, but no functions
		 */
		if (!lines_function(l, inner_address(m), &f->src))
			lines_at(l, m->start, &f->src);
		for (k = 0; k < code->nr[CODE_NEW]; k++)
			f->nr_new += code->state[CODE_NEW][k] != INSN_SAME;
	}
}

/* Most objects to name, since each may take a search of all units. */
#define MAX_OBJECTS_NAMED	200

static void name_objects(struct changes *c)
{
	size_t i;

	c->objects = xcalloc(c->match->nr_data + 1, sizeof(*c->objects));
	for (i = 0; i < c->match->nr_data; i++) {
		const struct data_change *d = &c->match->data[i];
		struct changed_object *o = &c->objects[i];
		int s = side_of(d->kind);

		o->data = d;
		o->name = d->symbol[s]->name;
		if (i < MAX_OBJECTS_NAMED)
			lines_object(c->lines[s], d->symbol[s], d->offset,
				     &o->src, &o->part);
	}
}

/* --- lines --- */

struct line_sum {
	struct changes *c;
	const char *file;
	const struct patched_file *patch;
	/* for each function of new its changed function; -1 */
	long *changed;
	struct changed_file *to;	/* the file to add functions to; NULL */
};

static void add_function(struct changed_file *f, size_t function)
{
	size_t i;

	for (i = 0; i < f->nr_functions; i++)
		if (f->functions[i] == function)
			return;
	f->functions = grow(f->functions, f->nr_functions,
			    sizeof(*f->functions));
	f->functions[f->nr_functions++] = function;
}

static void sum_insn(struct changes *c, const char *file, unsigned int line,
		     size_t function, size_t insn)
{
	const struct changed_function *f = &c->functions[function];
	struct changed_line *l = c->nr_lines ? &c->changed[c->nr_lines - 1] :
		NULL;

	if (!l || l->line != line || l->file != file ||
	    l->function != function) {
		c->changed = grow(c->changed, c->nr_lines, sizeof(*l));
		l = &c->changed[c->nr_lines++];
		*l = (struct changed_line){ .file = file, .line = line,
			.function = function, .insn = insn };
	}
	l->insns++;
	l->ran += f->count && f->count[insn];
}

static bool is_patched(const struct patched_file *f, unsigned int line)
{
	size_t i;

	for (i = 0; i < f->nr; i++)
		if (f->lines[i].line == line && !f->lines[i].removed)
			return true;
	return false;
}

static void sum_patched(void *data, unsigned int line, uint64_t from,
			uint64_t to)
{
	struct line_sum *s = data;
	const struct image *img = s->c->image[CODE_NEW];
	uint64_t at;

	if (!is_patched(s->patch, line))
		return;
	for (at = from; at < to; at += 4) {
		long f = image_function(img, at);

		if (f < 0 || s->changed[f] < 0)
			continue;
		sum_insn(s->c, s->patch->name, line, s->changed[f],
			 (at - img->functions[f].start) / 4);
		add_function(s->to, s->changed[f]);
	}
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n >= m && !strcmp(name + n - m, suffix);
}

static bool compiled(const char *name)
{
	/* not linker scripts */
	return has_suffix(name, ".c") ||
	       (has_suffix(name, ".S") && !has_suffix(name, ".lds.S"));
}

static void edited_functions(struct changes *c, struct changed_file *f,
			     const uint64_t *addrs, size_t nr)
{
	size_t i, k;

	for (i = 0; i < f->patch->nr; i++) {
		const char *name;

		if (!f->patch->lines[i].code)
			continue;
		name = lines_function_at(c->lines[CODE_NEW], f->patch->name,
					 f->patch->lines[i].line, addrs, nr);
		for (k = 0; name && k < f->nr_edited; k++)
			if (!strcmp(f->edited[k], name))
				name = NULL;
		if (!name)
			continue;
		f->edited = grow(f->edited, f->nr_edited, sizeof(*f->edited));
		f->edited[f->nr_edited++] = name;
	}
}

static bool any_code(const struct patched_file *f)
{
	size_t i;

	for (i = 0; i < f->nr; i++)
		if (f->lines[i].code)
			return true;
	return false;
}

static bool same_file(const char *file, const char *name)
{
	return file && !strcmp(file, name);
}

/*
 * Returns the option that builds @file, from a tree with the same Makefiles:
 * where the kernel was built, or the cache's tree of the base. The caller
 * frees; NULL if unknown.
 */
static char *option_for(const struct changes *c, const char *file)
{
	const char *hash = json_text(c->subject[CODE_BASE].kernel, "hash");
	char *tree = cache_path("trees/%s", hash);
	char *option = *hash ? kbuild_option(tree, file) : NULL;

	free(tree);
	return option ? option :
		kbuild_option(c->subject[CODE_NEW].folder, file);
}

static bool edits(const struct changed_file *f, const char *function)
{
	size_t i, len = plain_name(function);

	for (i = 0; i < f->nr_edited; i++)
		if (!strncmp(f->edited[i], function, len) &&
		    !f->edited[i][len])
			return true;
	return false;
}

static void judge_file(struct changes *c, struct changed_file *f,
		       struct line_sum *sum, const uint64_t *addrs, size_t nr)
{
	const char *name = f->patch->name;
	size_t i;

	f->state = FILE_NO_CODE;
	if ((!compiled(name) && !has_suffix(name, ".h")) || !any_code(f->patch))
		return;
	f->state = FILE_UNKNOWN;
	if (!c->lines[CODE_NEW])
		return;
	f->state = FILE_ALIKE;
	sum->patch = f->patch;
	sum->to = f;
	lines_of_file(c->lines[CODE_NEW], name, addrs, nr, sum_patched, sum);
	edited_functions(c, f, addrs, nr);
	/* removed lines leave nothing but a function that differs */
	for (i = 0; i < c->match->nr_code; i++) {
		if (!same_file(c->functions[i].src.file, name))
			continue;
		f->state = FILE_CHANGED;
		if (edits(f, c->functions[i].name))
			add_function(f, i);
	}
	for (i = 0; i < c->match->nr_data; i++)
		if (same_file(c->objects[i].src.file, name))
			f->state = FILE_CHANGED;
	if (f->nr_functions)
		f->state = FILE_CHANGED;
	if (f->state == FILE_ALIKE && compiled(name) &&
	    !lines_has_file(c->lines[CODE_NEW], name)) {
		f->state = FILE_NOT_BUILT;
		f->option = option_for(c, name);
	}
}

static int by_place(const void *a, const void *b)
{
	const struct changed_line *x = a, *y = b;
	int c = strcmp(x->file, y->file);

	if (!c)
		c = x->line < y->line ? -1 : x->line > y->line;
	if (!c)
		c = x->function < y->function ? -1 : x->function > y->function;
	return c ? c : x->insn < y->insn ? -1 : x->insn > y->insn;
}

/* Merges the entries of a line, whose instructions are in several places. */
static void merge_lines(struct changes *c)
{
	size_t i, n = 0;

	if (c->nr_lines)
		qsort(c->changed, c->nr_lines, sizeof(*c->changed), by_place);
	for (i = 0; i < c->nr_lines; i++) {
		struct changed_line *l = &c->changed[i];

		if (n && c->changed[n - 1].line == l->line &&
		    !strcmp(c->changed[n - 1].file, l->file)) {
			c->changed[n - 1].insns += l->insns;
			c->changed[n - 1].ran += l->ran;
		} else {
			c->changed[n++] = *l;
		}
	}
	c->nr_lines = n;
}

/* Without a patch, uses the lines of the instructions that differ. */
static void lines_of_insns(struct changes *c)
{
	const struct image *img = c->image[CODE_NEW];
	struct source src;
	size_t i, k;

	for (i = 0; i < c->match->nr_code; i++) {
		const struct code_change *code = c->functions[i].code;
		long f = code->function[CODE_NEW];

		for (k = 0; f >= 0 && k < code->nr[CODE_NEW]; k++)
			if (code->state[CODE_NEW][k] == INSN_ALONE &&
			    lines_at(c->lines[CODE_NEW],
				     img->functions[f].start + 4 * k, &src) &&
			    src.line)
				sum_insn(c, src.file, src.line, i, k);
	}
}

static void find_lines(struct changes *c)
{
	struct line_sum sum = { .c = c };
	uint64_t *addrs = xcalloc(c->match->nr_code + 1, sizeof(*addrs));
	const struct image *img = c->image[CODE_NEW];
	size_t i, nr = 0;

	sum.changed = xcalloc(img->nr_functions, sizeof(*sum.changed));
	memset(sum.changed, 0xff, img->nr_functions * sizeof(*sum.changed));
	for (i = 0; i < c->match->nr_code; i++) {
		long f = c->match->code[i].function[CODE_NEW];

		if (f < 0)
			continue;
		sum.changed[f] = i;
		addrs[nr++] = inner_address(&img->functions[f]);
	}
	c->files = xcalloc(c->patched.nr + 1, sizeof(*c->files));
	for (i = 0; i < c->patched.nr; i++) {
		c->files[i].patch = &c->patched.files[i];
		judge_file(c, &c->files[i], &sum, addrs, nr);
	}
	if (!c->patched.nr && c->lines[CODE_NEW])
		lines_of_insns(c);
	merge_lines(c);
	for (i = 0; i < c->nr_lines; i++) {
		struct changed_line *l = &c->changed[i];
		const struct changed_function *f = &c->functions[l->function];

		if (!l->ran && f->nr_points)
			l->behind = ran_behind(c, f, l->insn);
	}
	free(sum.changed);
	free(addrs);
}

/* --- all of it --- */

static int add_patches(struct changes *c, const char *const *patches,
		       size_t nr)
{
	size_t i, found;
	char **list;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = patch_add(&c->patched, patches[i]);
	if (nr)
		return ret;
	list = subject_patches(c->subject, &found,
			       &c->patches_missing);
	/* With a part of a series the line numbers would be wrong. */
	for (i = 0; i < found; i++) {
		if (!c->patches_missing && !ret)
			ret = patch_add(&c->patched, list[i]);
		free(list[i]);
	}
	free(list);
	return ret;
}

static int find_all(struct changes *c, const char *const path[], size_t nr,
		    const char *const *patches, size_t nr_patches)
{
	int s, ret = subjects_of(path, nr, c->subject);

	if (!ret)
		ret = add_patches(c, patches, nr_patches);
	if (ret)
		return ret;
	for (s = 0; s < NR_IMAGES; s++) {
		c->image[s] = image_load(c->subject[s].vmlinux);
		if (!c->image[s])
			return -EINVAL;
	}
	c->match = match_images(c->image[CODE_BASE], c->image[CODE_NEW]);
	for (s = 0; s < NR_IMAGES; s++) {
		if (changes_none(c) && !c->patched.nr)
			continue;
		c->lines[s] = lines_open(c->image[s]);
		if (!c->lines[s] && !c->no_lines)
			c->no_lines = xstrdup(fail_text());
	}
	name_functions(c);
	name_objects(c);
	ret = changes_count(c);
	if (!ret)
		find_lines(c);
	return ret;
}

struct changes *changes_find(const char *const path[], size_t nr,
			     const char *const *patches, size_t nr_patches)
{
	struct changes *c = xcalloc(1, sizeof(*c));

	if (find_all(c, path, nr, patches, nr_patches)) {
		changes_free(c);
		return NULL;
	}
	return c;
}

void changes_free(struct changes *c)
{
	size_t i;
	int s;

	if (!c)
		return;
	for (i = 0; c->functions && i < c->match->nr_code; i++) {
		free(c->functions[i].count);
		free(c->functions[i].word);
		free(c->functions[i].points);
		free(c->functions[i].behind);
	}
	for (i = 0; c->objects && i < c->match->nr_data; i++)
		free(c->objects[i].part);
	for (i = 0; c->files && i < c->patched.nr; i++) {
		free(c->files[i].option);
		free(c->files[i].edited);
		free(c->files[i].functions);
	}
	for (i = 0; i < c->nr_points; i++)
		free(c->points[i]);
	match_free(c->match);
	for (s = 0; s < NR_IMAGES; s++) {
		lines_close(c->lines[s]);
		image_free(c->image[s]);
		subject_free(&c->subject[s]);
	}
	patched_free(&c->patched);
	free(c->functions);
	free(c->objects);
	free(c->files);
	for (i = 0; i < c->nr_lines; i++)
		free(c->changed[i].behind);
	free(c->changed);
	free(c->no_lines);
	free(c->points);
	free(c);
}
