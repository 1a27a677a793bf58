// SPDX-License-Identifier: GPL-2.0
/*
 * Finds which of the changed code ran in a run's counted boots, and why the
 * rest did not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/code/changes.h"
#include "analysis/code/flow.h"
#include "analysis/code/insns.h"
#include "analysis/code/normal.h"
#include "analysis/load/load.h"
#include "lib/util.h"

/* --- which ran --- */

static size_t point_get(struct changes *c, json_t *index, const json_t *head)
{
	char *params = params_text(json_object_get(head, "params"), " ");
	char *name = xasprintf("%s%s%s", json_text(head, "bench"),
			       *params ? " " : "", params);
	json_t *have = json_object_get(index, name);
	size_t at = have ? (size_t)json_integer_value(have) : c->nr_points;

	free(params);
	if (have) {
		free(name);
		return at;
	}
	json_object_set_new(index, name, json_integer(at));
	c->points = grow(c->points, c->nr_points, sizeof(*c->points));
	c->points[c->nr_points++] = name;
	return at;
}

static void add_point(struct changed_function *f, size_t point)
{
	size_t i;

	for (i = f->nr_points; i--;)
		if (f->points[i] == point)
			return;
	f->points = grow(f->points, f->nr_points, sizeof(*f->points));
	f->points[f->nr_points++] = point;
}

/*
 * Returns for each function of new its changed function, or NULL. The caller
 * frees.
 */
static struct changed_function **by_function(struct changes *c)
{
	struct changed_function **v =
		xcalloc(c->image[CODE_NEW]->nr_functions, sizeof(*v));
	size_t i;

	for (i = 0; i < c->match->nr_code; i++) {
		struct changed_function *f = &c->functions[i];
		long n = f->code->function[CODE_NEW];

		if (n < 0)
			continue;
		v[n] = f;
		f->count = xcalloc(f->code->nr[CODE_NEW] + 1,
				   sizeof(*f->count));
		f->word = xcalloc(f->code->nr[CODE_NEW] + 1, sizeof(*f->word));
	}
	return v;
}

static void add_count(struct changes *c, struct changed_function **by,
		      const struct insn_function *n,
		      const struct insn_count *count, size_t point)
{
	const struct image *img = c->image[CODE_NEW];
	uint32_t i;

	for (i = 0; i < count->nr; i++) {
		size_t at = count->offset / 4 + i;
		uint64_t addr = n->start + 4 * at;
		long k = image_function(img, addr);
		struct changed_function *f = k < 0 ? NULL : by[k];
		size_t insn;

		if (!f)
			continue;
		insn = (addr - img->functions[k].start) / 4;
		f->count[insn] += count->count;
		f->word[insn] = n->word[at];
		add_point(f, point);
	}
}

/*
 * Returns for each function of the file whether it contains changed code, as
 * few do. The caller frees.
 */
static bool *holds_changed(struct changes *c, struct changed_function **by,
			   const struct insn_file *file)
{
	const struct image *img = c->image[CODE_NEW];
	bool *holds = xcalloc(file->nr_functions + 1, sizeof(*holds));
	size_t i, k;

	for (i = 0; i < file->nr_functions; i++) {
		const struct insn_function *n = &file->functions[i];

		if (strcmp(n->space, "kernel"))
			continue;
		for (k = 0; k < n->nr && !holds[i]; k++) {
			long f = image_function(img, n->start + 4 * k);

			holds[i] = f >= 0 && by[f];
		}
	}
	return holds;
}

/* Records whether any new instruction ran; any instruction if none is new. */
static void add_seen(struct changes *c, struct changed_function *f,
		     const struct insn_file *file)
{
	const struct code_change *code = f->code;
	size_t i;

	for (i = 0; i < code->nr[CODE_NEW] && !f->seen; i++) {
		uint64_t addr = c->image[CODE_NEW]->functions[code->function[CODE_NEW]].start +
				4 * i;

		if (!f->nr_new || code->state[CODE_NEW][i] != INSN_SAME)
			f->seen = insn_seen_at(file, addr);
	}
}

static void add_file(struct changes *c, struct changed_function **by,
		     json_t *index, const struct insn_file *file)
{
	bool *holds = holds_changed(c, by, file);
	size_t i, k;

	for (i = 0; i < file->nr_regions; i++) {
		const struct insn_region *r = &file->regions[i];
		size_t point = point_get(c, index, r->head);

		for (k = 0; k < r->nr_counts; k++)
			if (holds[r->counts[k].function])
				add_count(c, by, &file->functions[r->counts[k].function],
					  &r->counts[k], point);
	}
	free(holds);
	for (i = 0; i < c->match->nr_code; i++)
		if (c->functions[i].count)
			add_seen(c, &c->functions[i], file);
}

/* --- why not --- */

/* Returns the name of the symbol at an address, for a message. */
static const char *symbol_name(const struct image *img, uint64_t addr)
{
	const struct image_symbol *s = image_object(img, addr);
	size_t i = image_symbols_from(img, addr);

	if (s)
		return s->name;
	return i < img->nr_symbols && img->symbols[i].start == addr ?
		img->symbols[i].name : "of no name";
}

static char *reason_of(const struct changes *c, const struct edge *e,
		       const struct image_function *f)
{
	const struct image *img = c->image[CODE_NEW];
	char *name, *text;
	bool with;

	if (e->jump)
		return xasprintf("behind the static key %s",
				 symbol_name(img, e->jump->key));
	name = cpucap_name(&c->subject[CODE_NEW], e->alt->cap);
	/* A NOP becomes a branch, or a branch becomes a NOP */
	with = e->taken != insn_leaves(img, f->start + 4 * e->from,
			flow_word(img, f->start + 4 * e->from));
	text = xasprintf("runs only on CPUs %s %s", with ? "with" : "without",
			 name);
	free(name);
	return text;
}

/*
 * Goes back from an instruction that never ran, through others that never ran,
 * to those that ran. Returns the reason if one CPU capability or one static key
 * decides about all ways in; else NULL. The caller frees.
 */
static char *blocked(const struct changes *c, const struct changed_function *f,
		     size_t insn)
{
	const struct image *img = c->image[CODE_NEW];
	const struct image_function *fn =
		&img->functions[f->code->function[CODE_NEW]];
	struct edges e = flow_edges(img, fn);
	bool *seen = xcalloc(f->code->nr[CODE_NEW] + 1, 1);
	const struct edge *gate = NULL;
	bool open = false, more = true;
	char *text = NULL;
	size_t i;

	seen[insn] = true;
	while (more) {
		more = false;
		/* backwards, since most edges are to the next instruction */
		for (i = e.nr; i--;) {
			if (!seen[e.v[i].to] || seen[e.v[i].from] ||
			    f->count[e.v[i].from])
				continue;
			seen[e.v[i].from] = true;
			more = true;
		}
	}
	for (i = 0; i < e.nr; i++) {
		const struct edge *in = &e.v[i];

		if (!seen[in->to] || !f->count[in->from])
			continue;
		if (!in->alt && !in->jump)
			open = true;
		else if (gate && ((in->alt ? in->alt->cap + 1 : 0) !=
				  (gate->alt ? gate->alt->cap + 1 : 0) ||
				  (in->jump ? in->jump->key : 0) !=
				  (gate->jump ? gate->jump->key : 0)))
			open = true;
		else
			gate = in;
	}
	if (gate && !open)
		text = reason_of(c, gate, fn);
	free(seen);
	free(e.v);
	return text;
}

/*
 * Returns a reason if the instruction is part of an alternative that was not
 * applied; else NULL. The caller frees.
 */
static char *not_applied(const struct changes *c,
			 const struct changed_function *f, size_t insn)
{
	const struct image *img = c->image[CODE_NEW];
	uint64_t pc = img->functions[f->code->function[CODE_NEW]].start +
		      4 * insn;
	const struct image_alt *alt = flow_alt(img, pc);
	char *name, *text;

	if (!alt || alt->callback || pc - alt->at >= alt->with_len ||
	    f->word[insn] != flow_word(img, pc) ||
	    f->word[insn] == flow_word(img, alt->with + (pc - alt->at)))
		return NULL;
	name = cpucap_name(&c->subject[CODE_NEW], alt->cap);
	text = xasprintf("its alternative for CPUs with %s was not put in",
			 name);
	free(name);
	return text;
}

char *ran_behind(const struct changes *c, const struct changed_function *f,
		 size_t insn)
{
	if (!f->count || f->code->function[CODE_NEW] < 0)
		return NULL;
	if (f->count[insn])
		return not_applied(c, f, insn);
	return blocked(c, f, insn);
}

/* --- both --- */

static void judge(const struct changes *c, struct changed_function *f)
{
	size_t i, nr = f->code->nr[CODE_NEW];
	bool any = false;

	f->new_ran = 0;
	for (i = 0; i < nr; i++) {
		any |= f->count[i];
		if (f->code->state[CODE_NEW][i] == INSN_SAME)
			continue;
		f->new_ran += !!f->count[i];
	}
	f->ran = !any || (f->nr_new && !f->new_ran) ?
		(f->seen ? RAN_OUTSIDE : RAN_NEVER) : f->new_ran < f->nr_new ? RAN_PART : RAN_ALL;
	for (i = 0; any && i < nr && !f->behind; i++)
		if (f->code->state[CODE_NEW][i] != INSN_SAME)
			f->behind = ran_behind(c, f, i);
}

static int count_boot(struct changes *c, struct changed_function **by,
		      json_t *index, const struct run_file *boot)
{
	const char *name = json_text(json_object_get(boot->header, "insns"),
				     "file");
	const char *slash = strrchr(boot->path, '/');
	struct insn_file *file;
	char *path;

	if (!*name || strchr(name, '/') || json_object_get(index, name))
		return 0;
	json_object_set_new(index, name, json_true());
	path = xasprintf("%.*s%s", slash ? (int)(slash + 1 - boot->path) : 0,
			 boot->path, name);
	file = insn_file_load(path);
	free(path);
	if (!file)
		return -EBADMSG;
	add_file(c, by, index, file);
	insn_file_free(file);
	return 1;
}

int changes_count(struct changes *c)
{
	struct changed_function **by;
	struct run *run;
	json_t *index;
	size_t i, counted = 0;
	int ret = 0;

	if (!c->subject[CODE_NEW].run) {
		c->not_counted = "two kernels, and no run of them";
		return 0;
	}
	run = run_load(c->subject[CODE_NEW].run);
	if (!run)
		return -EINVAL;
	index = json_object();
	by = by_function(c);
	for (i = 0; i < run->nr_files && ret >= 0; i++) {
		ret = count_boot(c, by, index, run->files[i]);
		counted += ret > 0;
	}
	for (i = 0; i < c->match->nr_code && counted; i++)
		if (c->functions[i].count)
			judge(c, &c->functions[i]);
	if (!counted && ret >= 0)
		c->not_counted = "no boot of it was counted: make ab COUNT=all, or scripts/lab/boot --count";
	free(by);
	json_decref(index);
	run_free(run);
	return ret < 0 ? ret : 0;
}
