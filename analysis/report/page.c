// SPDX-License-Identifier: GPL-2.0
/* See page.h. */
#include "analysis/report/page.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/code/explain.h"
#include "analysis/draw/format.h"
#include "analysis/plot/plot.h"
#include "analysis/plot/plot_stat.h"
#include "lib/util.h"

/* Points that are explained to find another cause. */
#define MAX_TRIES	12
#define FUNCTIONS_NAMED	4

/* Ratios first, then every point, sweeps, and what is behind them. */
static int rank(const char *name)
{
	static const char *const first[] = { "forest-", "points-", "folio-",
					     "pages-", "racer-" };
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(first); i++)
		if (!strncmp(name, first[i], strlen(first[i])))
			return i;
	return strncmp(name, "spread-", 7) ? i : i + 1;
}

static int by_rank(const struct dirent **a, const struct dirent **b)
{
	int x = rank((*a)->d_name), y = rank((*b)->d_name);

	return x != y ? x - y : versionsort(a, b);
}

static int is_svg(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot && !strcmp(dot, ".svg");
}

/* Reads and removes what was drawn. */
static void take_pictures(struct report_page *page, const char *dir)
{
	struct dirent **names;
	int nr = scandir(dir, &names, is_svg, by_rank), i;

	for (i = 0; i < nr; i++) {
		char *path = xasprintf("%s/%s", dir, names[i]->d_name);
		char *text = read_file(path, NULL);

		if (text) {
			page->pictures = grow(page->pictures,
					      page->nr_pictures,
					      sizeof(*page->pictures));
			page->pictures[page->nr_pictures++] = text;
		}
		unlink(path);
		free(path);
		free(names[i]);
	}
	if (nr >= 0)
		free(names);
	rmdir(dir);
}

/* A report without pictures is still one; why there are none is in it. */
void page_draw(struct report_page *page, struct side *const *side,
	       struct comparison *const *c, size_t nr)
{
	static const char *const svg = "svg";
	const char *tmp = getenv("TMPDIR");
	char *dir = xasprintf("%s/ptelab-report.XXXXXX",
			      tmp && *tmp ? tmp : "/tmp");
	const char *formats[] = { svg };
	struct plot_options o = { .dir = dir, .formats = formats,
				  .nr_formats = 1, .quiet = true };
	size_t drawn = 0;

	if (!mkdtemp(dir)) {
		page->no_pictures = xasprintf("No pictures: %s: %s", dir,
					      strerror(errno));
		free(dir);
		return;
	}
	if (plot_runs(side, nr, c, &o) ||
	    plot_comparisons(c, nr - 1, &o, &drawn))
		page->no_pictures = xasprintf("No pictures: %s", fail_text());
	take_pictures(page, dir);
	free(dir);
}

/* "walk +264, mtree_load +133": the functions that differ most. */
static char *largest_functions(const struct explanation *e)
{
	char *text = xstrdup(""), delta[NUMBER_SIZE];
	size_t i;

	for (i = 0; i < e->nr && i < FUNCTIONS_NAMED; i++) {
		const struct explained_function *f = &e->functions[i];

		format_brief(f->self[NEW] - f->self[BASE], true, delta);
		if (strcmp(delta, "0"))
			append_text(&text, ", ", "%s %s", f->name, delta);
	}
	return text;
}

/* The largest difference of each cause, if their instructions were counted. */
void page_explain(struct report_page *page, const struct side *base,
		  const struct side *new)
{
	struct insn_store *store = insn_store_new();
	struct explanation *e[ARRAY_SIZE(page->explained)];
	struct explain_pair *pairs;
	size_t shown = 0, nr, i, k, len;

	pairs = explain_pairs(base, new, "instructions", &nr);
	for (i = 0; i < nr && i < MAX_TRIES && pairs[i].delta &&
	     shown < ARRAY_SIZE(page->explained); i++) {
		FILE *f;

		e[shown] = explain(pairs[i].base, pairs[i].new, "instructions",
				   -1, store);
		if (!e[shown])
			break;
		for (k = 0; k < shown && !explain_alike(e[k], e[shown]); k++)
			;
		if (k < shown) {
			explanation_free(e[shown]);
			continue;
		}
		if (!shown)
			page->where = largest_functions(e[shown]);
		f = open_memstream(&page->explained[shown], &len);
		explain_text(e[shown], 12, 0, f);
		fclose(f);
		f = open_memstream(&page->flame[shown], &len);
		explain_svg(e[shown], NULL, f);
		fclose(f);
		shown++;
	}
	page->nr_explained = shown;
	for (k = 0; k < shown; k++)
		explanation_free(e[k]);
	free(pairs);
	insn_store_free(store);
}

void page_free(struct report_page *page)
{
	size_t i;

	for (i = 0; i < page->nr_pictures; i++)
		free(page->pictures[i]);
	free(page->pictures);
	for (i = 0; i < page->nr_explained; i++) {
		free(page->explained[i]);
		free(page->flame[i]);
	}
	free(page->where);
	free(page->no_pictures);
	free(page->manifest);
	free(page->title);
}
