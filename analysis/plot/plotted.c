// SPDX-License-Identifier: GPL-2.0
/* See plotted.h. */
#include "analysis/plot/plotted.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/judge/view.h"
#include "lib/util.h"

#define MAX_TITLE	72	/* about as many characters fit */
#define MAX_SUBTITLE	98
#define MAX_KEYS	40	/* a longer row name has no keys */
#define MAX_NAME	56
#define MAX_WORDS	76

/* --- points and their values --- */

struct sample value_in(const struct side *s, const struct side_point *p,
		       const char *metric)
{
	const struct side_point *there = side_find(s, p->key);

	if (!there || metric_tier(there, metric) == TIER_NONE)
		return (struct sample){ 0 };
	return sample_take(there, metric, metric_tier(there, metric), NULL);
}

static bool has_value(const struct side *s, const struct side_point *p,
		      const char *metric)
{
	struct sample v = value_in(s, p, metric);
	bool has = v.nr > 0;

	sample_free(&v);
	return has;
}

bool in_all_runs(const struct plot *plot, const struct side_point *p,
		 const char *metric)
{
	size_t i;

	for (i = 0; i < plot->nr; i++)
		if (!has_value(plot->sides[i], p, metric))
			return false;
	return true;
}

static bool has_racer(const struct side_point *p)
{
	const char *racer = json_text(p->params, "racer");

	return *racer && strcmp(racer, "none");
}

struct drawn_points points_with(const struct plot *plot, const char *metric,
				bool racing)
{
	const struct side *base = plot->sides[0];
	struct drawn_points l = { 0 };
	size_t i;

	for (i = 0; i < base->nr_points; i++) {
		const struct side_point *p = &base->points[i];

		if (!strcmp(p->bench, "harness.empty") ||
		    has_racer(p) != racing || !in_all_runs(plot, p, metric) ||
		    (l.nr && strcmp(p->mode, l.p[0]->mode)))
			continue;
		l.p = grow(l.p, l.nr, sizeof(*l.p));
		l.p[l.nr++] = p;
	}
	return l;
}

/* --- how they are called --- */

char *axis_text(const struct side_point *p, const char *metric)
{
	struct metric_facts m = file_metric(p->obs[0].file, metric);
	bool exact = metric_tier(p, metric) == TIER_EXACT;
	const char *what = metric;
	char *label, *text;

	if (!strcmp(metric, "instructions_kernel"))
		what = "kernel instructions";
	else if (!strcmp(metric, "instructions_user"))
		what = "user instructions";
	if (m.kind == METRIC_INSTRUCTIONS)
		return xasprintf("%s per operation%s", what,
				 exact ? ", exact (icount)" : "");
	if (!strcmp(metric, "retries_per_1000_gathers"))
		return xstrdup("retries per 1,000 gathers");
	label = metric_label(metric, m.unit);
	text = xasprintf("%s per operation", label);
	free(label);
	return text;
}

const char *release_of(const struct side *s)
{
	return json_text(s->run->files[0]->header, "kernel_release");
}

char *run_title(const struct side *s, bool build)
{
	const char *id = json_text(s->run->files[0]->header, "build_id");

	build = build && *id;
	return xasprintf("%s: %s%s%.8s%s", s->label, release_of(s),
			 build ? " (build " : "", build ? id : "",
			 build ? ")" : "");
}

/* Returns whether another run is of a kernel with the same release. */
static bool release_is_shared(const struct plot *plot, size_t nr)
{
	size_t i;

	for (i = 0; i < plot->nr; i++)
		if (i != nr && !strcmp(release_of(plot->sides[i]),
				       release_of(plot->sides[nr])))
			return true;
	return false;
}

/* Returns "6.12.117 and 6.12.117-range". The caller frees. */
static char *kernels_text(const struct plot *plot)
{
	char *text = xstrdup(release_of(plot->sides[0])), *more;
	size_t i;

	for (i = 1; i < plot->nr; i++) {
		if (strstr(text, release_of(plot->sides[i])) &&
		    release_is_shared(plot, i))
			continue;
		more = xasprintf("%s%s%s", text,
				 i + 1 == plot->nr ? " and " : ", ",
				 release_of(plot->sides[i]));
		free(text);
		text = more;
	}
	return text;
}

/*
 * Returns how many boots there are, and what marks and bars show. The caller
 * frees.
 */
static char *boots_text(const struct plot *plot, const struct side_point *p)
{
	size_t boots = side_boots(plot->sides[0], p->mode);

	if (has_racer(p))
		return xasprintf("%zu boot%s a run, a mark for each", boots,
				 plural(boots));
	if (boots < 2)
		return xstrdup("1 boot a run");
	return xasprintf("%zu boots a run: median and range", boots);
}

void chart_titles(struct chart *c, const json_t *manifest, char *what,
		  char *subtitle)
{
	const char *asked = json_text(manifest, "title");

	c->subtitle_width = MAX_SUBTITLE;
	if (!*asked) {
		c->title = what;
		c->subtitle = subtitle;
		return;
	}
	c->title = xstrdup(asked);
	shorten(c->title, MAX_TITLE);
	c->subtitle = xasprintf("%s; %s", what, subtitle);
	free(what);
	free(subtitle);
}

struct chart *plot_chart(const struct plot *plot, enum chart_kind kind,
			 char *file, const char *what, const char *constant,
			 const struct side_point *p)
{
	char *kernels = kernels_text(plot), *bars = boots_text(plot, p);
	struct chart *c = chart_new(kind, "%s", file);
	char *title;
	size_t i;

	for (i = 0; i < plot->nr; i++)
		names_add(&c->lines, run_title(plot->sides[i],
					       release_is_shared(plot, i)));
	title = xasprintf("%s: %s", what, kernels);
	/* The kernels are in the legend as well, with room for long names. */
	if (strlen(title) > MAX_TITLE)
		title[strlen(what)] = '\0';
	chart_titles(c, plot->manifest, title,
		     xasprintf("%s%s%s", bars, *constant ? "; " : "", constant));
	free(kernels);
	free(bars);
	free(file);
	return c;
}

/* Changes "folio=4k measure=op" to "4k op". */
static void drop_keys(char *params)
{
	char *from = params, *to = params, *eq;

	while (*from) {
		eq = strchr(from, '=');
		if (eq && eq < strchrnul(from, ' '))
			from = eq + 1;
		while (*from && *from != ' ')
			*to++ = *from++;
		while (*from == ' ')
			*to++ = *from++;
	}
	*to = '\0';
}

char *row_name(const struct side_point *p, const json_t *constant,
	       const char *metric, size_t keys, size_t most)
{
	char *params = varying_params(p, constant), *name;

	if (strlen(p->bench) + strlen(params) > keys)
		drop_keys(params);
	name = xasprintf("%s%s%s%s%s", p->bench, *params ? " " : "", params,
			 *metric ? " " : "", metric);
	shorten(name, most);
	free(params);
	return name;
}

char *row_words(const struct drawn_points *all, const struct side_point *p,
		const json_t *constant, const char *metric)
{
	const char *folio = json_text(p->params, "folio");
	char *label, *name;

	if (!*json_text(p->obs[0].point, "words"))
		return row_name(p, constant, metric, MAX_KEYS, MAX_NAME);
	label = point_in_words(all->p, all->nr, p);
	name = xasprintf("%s%s%s%s%s", label, *folio ? ", " : "", folio,
			 *metric ? ", " : "", metric);
	free(label);
	shorten(name, MAX_WORDS);
	return name;
}
