// SPDX-License-Identifier: GPL-2.0
/* See atlas.h. */
#include "analysis/code/atlas.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/code/flow.h"
#include "analysis/code/subject.h"
#include "analysis/draw/format.h"
#include "analysis/load/load.h"
#include "lib/util.h"

/* --- loading --- */

static int by_start(const void *a, const void *b)
{
	const struct atlas_function *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void take_functions(struct atlas *a)
{
	size_t i;

	a->functions = xcalloc(a->file->nr_functions + 1,
			       sizeof(*a->functions));
	for (i = 0; i < a->file->nr_functions; i++) {
		const struct insn_function *f = &a->file->functions[i];

		if (strcmp(f->space, "kernel"))
			continue;
		a->functions[a->nr_functions++] = (struct atlas_function){
			f->start, f->name, f->word, f->nr, 0 };
	}
	qsort(a->functions, a->nr_functions, sizeof(*a->functions), by_start);
	for (i = 0; i < a->nr_functions; i++) {
		a->functions[i].first = a->nr_insns;
		a->nr_insns += a->functions[i].nr;
	}
}

/*
 * Returns the last function that begins at or before @addr; NULL if there is
 * none.
 */
static const struct atlas_function *function_before(const struct atlas *a,
						     uint64_t addr)
{
	size_t i = image_first(a->functions, a->nr_functions, addr + 1);

	return i ? &a->functions[i - 1] : NULL;
}

/* Returns the bit of the instruction at @addr; nr_insns if no point runs it. */
static size_t bit_of(const struct atlas *a, uint64_t addr)
{
	const struct atlas_function *f = function_before(a, addr);

	if (!f || addr - f->start >= 4 * f->nr)
		return a->nr_insns;
	return f->first + (addr - f->start) / 4;
}

static bool has_bit(const uint64_t *set, size_t bit)
{
	return set[bit / 64] >> bit % 64 & 1;
}

static struct atlas_point *point_get(struct atlas *a, json_t *index,
				     const json_t *head)
{
	const json_t *params = json_object_get(head, "params");
	char *text = params_text(params, " ");
	char *label = xasprintf("%s%s%s", json_text(head, "bench"),
				*text ? " " : "", text);
	json_t *have = json_object_get(index, label);
	struct atlas_point *p;

	free(text);
	if (have) {
		free(label);
		return &a->points[json_integer_value(have)];
	}
	json_object_set_new(index, label, json_integer(a->nr_points));
	a->points = grow(a->points, a->nr_points, sizeof(*a->points));
	p = &a->points[a->nr_points++];
	*p = (struct atlas_point){ json_text(head, "bench"), params, label,
		xcalloc(a->nr_insns / 64 + 1, sizeof(*p->ran)), 0, false, 0 };
	return p;
}

/*
 * Returns whether the function is the stub of an interrupt vector: el1h_64_irq,
 * el0t_64_irq.
 */
static bool irq_entry(const struct insn_function *f)
{
	size_t len = strlen(f->name);

	return !strncmp(f->name, "el", 2) && len > 7 &&
	       !strcmp(f->name + len - 7, "_64_irq");
}

/*
 * Returns for each context of a region whether a timer tick or another
 * interrupt led to it. The point does not control when these happen, and the
 * smallest batch has none of them. The caller frees.
 */
static bool *in_irq(const struct insn_file *file, const struct insn_region *r)
{
	bool *irq = xcalloc(r->nr_nodes + 1, sizeof(*irq));
	size_t i;

	for (i = 0; i < r->nr_counts; i++)
		if (r->nodes[r->counts[i].node].kind == N_EXCEPTION &&
		    irq_entry(&file->functions[r->counts[i].function]))
			irq[r->counts[i].node] = true;
	/* A task that is switched to from an interrupt runs its own code. */
	for (i = 0; i < r->nr_nodes; i++)
		irq[i] |= r->nodes[i].kind != N_TASK &&
			irq[r->nodes[i].parent];
	return irq;
}

static void take_points(struct atlas *a)
{
	json_t *index = json_object();
	size_t i, k, n;

	for (i = 0; i < a->file->nr_regions; i++) {
		const struct insn_region *r = &a->file->regions[i];
		struct atlas_point *p;
		bool *irq;

		/*
		 * every command begins with this point, which is never chosen
		 */
		if (!strcmp(json_text(r->head, "bench"), "harness.empty"))
			continue;
		k = a->nr_points;
		p = point_get(a, index, r->head);
		if (a->nr_points > k)
			p->first_region = i;
		irq = in_irq(a->file, r);
		for (k = 0; k < r->nr_counts; k++) {
			const struct insn_count *c = &r->counts[k];
			const struct insn_function *f =
				&a->file->functions[c->function];
			size_t bit;

			p->interrupted |= irq[c->node];
			if (irq[c->node] || strcmp(f->space, "kernel"))
				continue;
			bit = bit_of(a, f->start + c->offset);
			for (n = bit; n < bit + c->nr; n++) {
				p->nr_ran += !has_bit(p->ran, n);
				p->ran[n / 64] |= 1ULL << n % 64;
			}
		}
		free(irq);
	}
	json_decref(index);
}

/*
 * Returns the folder of the newest atlas in the cache; the caller frees. NULL
 * with fail() text.
 */
static char *newest(void)
{
	char *pattern = cache_path("atlas/*/" ATLAS_INSNS), *found = NULL;
	struct timespec t = { 0 };
	size_t i;
	glob_t g;

	if (!glob(pattern, GLOB_NOSORT, NULL, &g)) {
		for (i = 0; i < g.gl_pathc; i++) {
			struct stat st;

			if (stat(g.gl_pathv[i], &st) ||
			    (found && (st.st_mtim.tv_sec < t.tv_sec ||
				       (st.st_mtim.tv_sec == t.tv_sec &&
					st.st_mtim.tv_nsec < t.tv_nsec))))
				continue;
			t = st.st_mtim;
			free(found);
			found = xstrndup(g.gl_pathv[i],
					 strlen(g.gl_pathv[i]) -
					 strlen("/" ATLAS_INSNS));
		}
		globfree(&g);
	}
	free(pattern);
	if (!found)
		return fail_null(ENOENT, "the cache has no atlas; scripts/lab/atlas makes one");
	return found;
}

struct atlas *atlas_load(const char *folder)
{
	struct atlas *a = xcalloc(1, sizeof(*a));
	char *path;

	a->folder = folder ? xstrdup(folder) : newest();
	if (!a->folder) {
		free(a);
		return NULL;
	}
	path = xasprintf("%s/" ATLAS_INSNS, a->folder);
	a->file = insn_file_load(path);
	free(path);
	if (!a->file) {
		atlas_free(a);
		return NULL;
	}
	take_functions(a);
	take_points(a);
	return a;
}

void atlas_free(struct atlas *a)
{
	size_t i;

	if (!a)
		return;
	for (i = 0; i < a->nr_points; i++) {
		free(a->points[i].label);
		free(a->points[i].ran);
	}
	free(a->points);
	free(a->functions);
	insn_file_free(a->file);
	free(a->folder);
	free(a);
}

/* --- asking --- */

int atlas_check(const struct atlas *a, const struct image *img)
{
	size_t same = 0, differ = 0, i, k;

	for (i = 0; i < a->nr_functions; i++) {
		const struct atlas_function *f = &a->functions[i];

		for (k = 0; k < f->nr; k++) {
			uint64_t at = f->start + 4 * k;

			if (!f->word[k] || !image_bytes(img, at, 4))
				continue;
			if (f->word[k] == flow_word(img, at))
				same++;
			else
				differ++;
		}
	}
	/* A booting kernel patches about one of its words in a hundred. */
	if (same > 10 * differ)
		return 0;
	return fail(EINVAL, "%s is the atlas of another kernel than %s; scripts/lab/atlas makes one of it",
		    a->folder, img->path);
}

long atlas_set_up(const struct atlas *a, uint64_t addr)
{
	const struct insn_seen *seen = insn_seen_at(a->file, addr);
	size_t i;

	for (i = 0; seen && seen->region && i < a->nr_points; i++)
		if (a->points[i].first_region == seen->region)
			return i;
	return -1;
}


bool atlas_ran(const struct atlas *a, size_t p, uint64_t addr)
{
	size_t bit = bit_of(a, addr);

	return bit < a->nr_insns && has_bit(a->points[p].ran, bit);
}

size_t atlas_count(const struct atlas *a, size_t p, uint64_t start,
		   uint64_t end)
{
	size_t n = 0;

	for (; start < end; start += 4)
		n += atlas_ran(a, p, start);
	return n;
}

struct who {
	size_t point, insns;
};

static int most_first(const void *a, const void *b)
{
	const struct who *x = a, *y = b;

	if (x->insns != y->insns)
		return x->insns > y->insns ? -1 : 1;
	return x->point < y->point ? -1 : x->point > y->point;
}

static int no_function(const struct atlas *a, const char *function)
{
	const char **names = xcalloc(a->nr_functions + 1, sizeof(*names));
	const char *near;
	size_t i;

	for (i = 0; i < a->nr_functions; i++)
		names[i] = a->functions[i].name;
	near = nearest_name(function, names, a->nr_functions);
	free(names);
	if (near)
		return fail(ENOENT, "no point of %s runs a function '%s'; did you mean %s?",
			    a->folder, function, near);
	return fail(ENOENT, "no point of %s runs a function '%s'", a->folder,
		    function);
}

int atlas_who(const struct atlas *a, const char *function, bool json, FILE *f)
{
	struct who *who = xcalloc(a->nr_points + 1, sizeof(*who));
	json_t *list = json_array();
	size_t i, p, nr = 0;

	for (p = 0; p < a->nr_points; p++) {
		struct who w = { p, 0 };

		for (i = 0; i < a->nr_functions; i++) {
			const struct atlas_function *n = &a->functions[i];

			if (!strcmp(n->name, function))
				w.insns += atlas_count(a, p, n->start,
						n->start + 4 * n->nr);
		}
		if (w.insns)
			who[nr++] = w;
	}
	qsort(who, nr, sizeof(*who), most_first);
	for (i = 0; i < nr; i++) {
		const struct atlas_point *q = &a->points[who[i].point];

		if (json)
			json_array_append_new(list, json_pack("{s:s, s:O, s:I}",
				"bench", q->bench, "params", q->params,
				"instructions", (json_int_t)who[i].insns));
		else
			fprintf(f, "%5zu instruction%s  %s\n", who[i].insns,
				*plural(who[i].insns) ? "s" : " ", q->label);
	}
	if (json && nr) {
		json_dumpf(list, f, JSON_INDENT(1));
		fputs("\n", f);
	}
	json_decref(list);
	free(who);
	return nr ? 0 : no_function(a, function);
}
