// SPDX-License-Identifier: GPL-2.0
/* See counted.h. */
#include "analysis/code/counted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/a64class.h"
#include "lib/util.h"

/* --- files --- */

struct insn_store {
	struct {
		char *path;
		struct insn_file *file;
	} *v;
	size_t nr;
};

struct insn_store *insn_store_new(void)
{
	return xcalloc(1, sizeof(struct insn_store));
}

void insn_store_free(struct insn_store *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++) {
		free(s->v[i].path);
		insn_file_free(s->v[i].file);
	}
	free(s->v);
	free(s);
}

static const struct insn_file *store_get(struct insn_store *s, char *path)
{
	struct insn_file *file;
	size_t i;

	for (i = 0; i < s->nr; i++) {
		if (!strcmp(s->v[i].path, path)) {
			free(path);
			return s->v[i].file;
		}
	}
	file = insn_file_load(path);
	if (!file) {
		free(path);
		return NULL;
	}
	s->v = grow(s->v, s->nr, sizeof(*s->v));
	s->v[s->nr].path = path;
	s->v[s->nr++].file = file;
	return file;
}

const struct insn_region *insn_store_region(const struct observation *o,
					    const char *metric,
					    struct insn_store *store,
					    const struct insn_file **file)
{
	const json_t *insns = json_object_get(o->file->header, "insns");
	const char *name = json_text(insns, "file");
	const char *slash = strrchr(o->file->path, '/');
	const struct insn_region *r;
	int batch;

	if (!*name || strchr(name, '/'))
		return fail_null(ENOENT, "%s: its instructions were not counted; boot with scripts/lab/boot --count",
				 o->file->path);
	*file = store_get(store, xasprintf("%.*s%s",
			slash ? (int)(slash + 1 - o->file->path) : 0,
			o->file->path, name));
	if (!*file)
		return NULL;
	if (strncmp(metric, "instructions", 12))
		metric = "instructions";
	batch = insn_figure_batch(o->point, metric);
	r = batch < 0 ? NULL : insn_region_find(*file,
			json_integer_value(json_object_get(insns, "run")),
			o->point, batch);
	if (!r)
		return fail_null(ENOENT, "%s: no instructions of this point: it runs in several threads, or measures parts of a batch itself",
				 o->file->path);
	return r;
}

/* --- what counts --- */

const char explain_metrics[] =
	"instructions, instructions_kernel, _user, _guest, loads, stores, atomics, exclusives, tlbi, dsb, dmb, isb and so on";

bool insn_weight_of(const char *metric, struct insn_weight *w)
{
	size_t i;

	*w = (struct insn_weight){ 0 };
	if (!strcmp(metric, "instructions"))
		return true;
	if (!strncmp(metric, "instructions_", 13)) {
		w->space = metric + 13;
		return !strcmp(w->space, "kernel") ||
		       !strcmp(w->space, "user") || !strcmp(w->space, "guest");
	}
	for (i = 0; i < NR_COUNTED_CLASSES; i++)
		if (a64_class_metric[i] && !strcmp(a64_class_metric[i], metric))
			w->classes = 1ULL << i;
	return w->classes;
}

bool insn_weigh(const struct insn_weight *w, const struct insn_function *n,
		uint64_t insn)
{
	if (w->space && strcmp(w->space, n->space))
		return false;
	return !w->classes || (a64_classes(n->word[insn]) & w->classes);
}

size_t function_plain_length(const char *name)
{
	const char *dot = name;

	while ((dot = strchr(dot + 1, '.')))
		if (!strncmp(dot, ".isra.", 6) ||
		    !strncmp(dot, ".constprop.", 11))
			return dot - name;
	return strlen(name);
}
