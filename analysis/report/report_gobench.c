// SPDX-License-Identifier: GPL-2.0
/*
 * Go's benchmark format (golang.org/design/14313-benchmark-format), which benchstat
 * reads: each value of each boot of all sides, with side and seed as configuration.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/report/machine.h"
#include "lib/util.h"
#include "lib/version.h"

/* No '/', '=' or '%', which separate parts or stand for other characters. */
#define NAME_KEEPS	"_.:,+@-"

/* Metric and unit, of which tools look for the unit behind the last '-'. */
static char *unit_of(const struct result *r)
{
	char *metric = percent_encode(r->metric, NAME_KEEPS);
	char *unit = percent_encode(r->facts.unit, NAME_KEEPS "/"), *text;

	text = xstrdup(strcmp(metric, unit) ? metric : "");
	if (*unit)
		append_text(&text, "-", "%s", unit);
	if (!strchr(unit, '/'))
		append_text(&text, "", "/op");
	free(metric);
	free(unit);
	return text;
}

/* "BenchmarkGup/pin_fast/folio=64k-1"; the number is one of GOMAXPROCS. */
static char *name_of(const struct side_point *p)
{
	char *bench = percent_encode(p->bench, NAME_KEEPS), *c;
	const char *name;
	json_t *value;
	char *text;

	*bench = toupper((unsigned char)*bench);
	for (c = bench; (c = strchr(c, '.')); c++)
		*c = '/';
	text = xasprintf("Benchmark%s", bench);
	json_object_foreach(p->params, name, value) {
		char *raw = param_value_text(value);
		char *v = percent_encode(raw, NAME_KEEPS);
		char *k = percent_encode(name, NAME_KEEPS);

		append_text(&text, "/", "%s=%s", k, v);
		free(raw);
		free(v);
		free(k);
	}
	append_text(&text, "", "-1");
	free(bench);
	return text;
}

/* Every row of the metric is one number on each side. */
static bool never_varies(const struct report *r, const char *metric)
{
	size_t i, j;

	for (i = 0; i < r->nr; i++)
		for (j = 0; j < r->c[i]->nr_results; j++) {
			const struct result *x = &r->c[i]->results[j];

			if (!strcmp(x->metric, metric) &&
			    (x->tier != TIER_EXACT || !sample_is_one(&x->base) ||
			     !sample_is_one(&x->new)))
				return false;
		}
	return true;
}

static void put_unit(const struct report *r, const struct result *x, FILE *f)
{
	bool exact = never_varies(r, x->metric);
	char *unit = unit_of(x);

	if (exact || x->facts.better != BETTER_NONE)
		fprintf(f, "Unit %s%s%s%s\n", unit,
			exact ? " assume=exact" : "",
			x->facts.better == BETTER_NONE ? "" : " better=",
			x->facts.better == BETTER_NONE ? "" :
			better_name(x->facts.better));
	free(unit);
}

static void put_units(const struct report *r, FILE *f)
{
	json_t *seen = json_object();
	size_t i, j;

	for (i = 0; i < r->nr; i++)
		for (j = 0; j < r->c[i]->nr_results; j++) {
			const struct result *x = &r->c[i]->results[j];

			if (json_object_get(seen, x->metric))
				continue;
			json_object_set_new(seen, x->metric, json_true());
			put_unit(r, x, f);
		}
	json_decref(seen);
}

static void put_key(const char *key, const char *value, FILE *f)
{
	char *clean = clean_text(value);

	fprintf(f, "%s:%s%s\n", key, *clean ? " " : "", clean);
	free(clean);
}

static void put_values(const struct result *x, const struct sample *s,
		       size_t boot, FILE *f)
{
	char *name = name_of(x->point), *unit = unit_of(x), number[NUMBER_SIZE];
	size_t i;

	for (i = 0; i < s->nr; i++)
		if (s->boot[i] == boot)
			fprintf(f, "%s %.0f %s %s\n", name, s->ops[i],
				exact_number(s->v[i], number), unit);
	free(name);
	free(unit);
}

static bool told_before(const struct report *r, size_t nr,
			const struct result *x)
{
	while (nr--)
		if (result_like(r->c[nr], x))
			return true;
	return false;
}

/* The values of one tier that a boot gave; base has its rows in each comparison. */
static void put_boot(const struct report *r, size_t side, size_t boot,
		     enum tier tier, FILE *f)
{
	size_t first = side ? side - 1 : 0, last = side ? side : r->nr, i, j;
	bool any = false;

	for (i = first; i < last; i++)
		for (j = 0; j < r->c[i]->nr_results; j++) {
			const struct result *x = &r->c[i]->results[j];

			if (x->tier != tier ||
			    (!side && told_before(r, i, x)))
				continue;
			if (!any)
				put_key("tier", tier_name(tier), f);
			any = true;
			put_values(x, side ? &x->new : &x->base, boot, f);
		}
}

static void put_side(const struct report *r, size_t nr, FILE *f)
{
	const struct side *s = nr ? r->c[nr - 1]->new : r->c[0]->base;
	char *label = report_label(r, nr);
	size_t i;

	fputc('\n', f);
	put_key("side", label, f);
	put_key("kernel", json_text(s->run->files[0]->header, "kernel_release"),
		f);
	for (i = 0; i < s->nr_boots; i++) {
		const json_t *seed = json_object_get(s->boots[i].file->header,
						     "seed");
		char *text = seed ? param_value_text(seed) : xstrdup("");

		put_key("seed", text, f);
		put_key("mode", s->boots[i].mode, f);
		put_boot(r, nr, i, TIER_EXACT, f);
		put_boot(r, nr, i, TIER_TIMED, f);
		free(text);
	}
	free(label);
}

void report_gobench(const struct report *r, FILE *f)
{
	size_t i;

	fputs("# benchstat -col side -ignore kernel,seed FILE\n", f);
	put_key("ptelab", PTELAB_VERSION, f);
	put_units(r, f);
	for (i = 0; i <= r->nr; i++)
		put_side(r, i, f);
}
