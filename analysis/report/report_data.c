// SPDX-License-Identifier: GPL-2.0
/* The forms for programs: compare.json and CSV. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/report/report.h"
#include "lib/util.h"
#include "lib/version.h"

#define COMPARE_SCHEMA	"ptelab-compare-1"

/* --- JSON --- */

/* A path need not be UTF-8, as a JSON string must be. */
static json_t *path_json(const char *path)
{
	json_t *j = json_string(path);
	char *clean;

	if (j)
		return j;
	clean = clean_text(path);
	j = json_string(clean);
	free(clean);
	return j;
}

static json_t *header_json(const struct run_file *f)
{
	/* what the results say again, and only for metrics that are there */
	static const char *const left_out[] = { "metrics", "absent", "type",
						"schema" };
	json_t *h = json_copy(f->header);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(left_out); i++)
		json_object_del(h, left_out[i]);
	json_object_set_new(h, "file", path_json(file_name(f)));
	json_object_set_new(h, "complete", json_boolean(f->complete));
	return h;
}

json_t *side_json(const struct side *s)
{
	json_t *build_id = json_object_get(s->run->files[0]->header,
					   "build_id");
	json_t *headers = json_array(), *notes = json_array();
	size_t i;

	for (i = 0; i < s->run->nr_files; i++)
		json_array_append_new(headers, header_json(s->run->files[i]));
	for (i = 0; i < s->nr_notes; i++)
		json_array_append_new(notes, path_json(s->notes[i]));
	return json_pack("{s:o, s:o, s:I, s:s, s:o, s:o, s:o}",
			 "path", path_json(s->run->path),
			 "label", path_json(s->label),
			 "boots", (json_int_t)s->nr_boots, "kernel_release",
			 json_text(s->run->files[0]->header, "kernel_release"),
			 "build_id", build_id ? json_incref(build_id) :
			 json_null(), "headers", headers, "notes", notes);
}

static json_t *environment_json(const struct env_differences *e)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < e->nr; i++)
		json_array_append_new(all, json_pack(
			"{s:s, s:s, s:s, s:s, s:s, s:b, s:b}",
			"key", e->d[i].key, "mode", e->d[i].mode,
			"scope", env_scope_name(e->d[i].scope),
			"base", e->d[i].base, "new", e->d[i].new,
			"matters", (int)e->d[i].matters,
			"allowed", (int)e->d[i].allowed));
	return all;
}

static void set_number(json_t *o, const char *key, double v)
{
	json_object_set_new(o, key, number_json(v));
}

static void set_totals(json_t *o, const char *key, const struct sample *s)
{
	json_object_set_new(o, key, json_pack("{s:o, s:o}", "total",
					      number_json(s->total),
					      "operations",
					      number_json(s->operations)));
}

static void set_timed(json_t *o, const struct result *r)
{
	set_number(o, "u", r->u);
	set_number(o, "shift", r->shift);
	set_number(o, "shift_low", r->shift_low);
	set_number(o, "shift_high", r->shift_high);
	set_number(o, "tost_p", r->tost_p);
	set_number(o, "tost_p_adjusted", r->tost_p_adjusted);
	set_number(o, "cv", r->cv);
	set_number(o, "boots_needed", r->boots_needed ? r->boots_needed : NAN);
	set_number(o, "boots_more", r->boots_more ? r->boots_more : NAN);
	set_number(o, "batches", r->batches);
	set_number(o, "outliers", r->outliers);
}

static json_t *cause_json(const struct cause *c)
{
	json_t *o = json_object();

	set_number(o, "changed_code", c->part[CAUSE_CHANGED]);
	set_number(o, "called_by_it", c->part[CAUSE_CALLED]);
	set_number(o, "elsewhere", c->part[CAUSE_ELSEWHERE]);
	set_number(o, "proof", c->proof);
	if (c->noise)
		json_object_set_new(o, "noise", json_pack("{s:[f,f], s:[f,f]}",
				"base", c->low[BASE], c->high[BASE],
				"new", c->low[NEW], c->high[NEW]));
	return o;
}

json_t *result_json(const struct result *r)
{
	json_t *o = json_pack("{s:s, s:O, s:s, s:s, s:s, s:s, s:s, s:o, s:o}",
			      "bench", r->point->bench, "params",
			      r->point->params, "mode", r->point->mode,
			      "metric", r->metric, "unit", r->facts.unit,
			      "tier", tier_name(r->tier), "better",
			      better_name(r->facts.better),
			      "base", sample_json(&r->base),
			      "new", sample_json(&r->new));

	set_number(o, "delta", r->delta);
	set_number(o, "ratio", r->ratio);
	set_number(o, "ci_low", r->ci_low);
	set_number(o, "ci_high", r->ci_high);
	set_number(o, "boots_base", r->base.boots);
	set_number(o, "boots_new", r->new.boots);
	set_number(o, "p", r->p);
	set_number(o, "p_adjusted", r->p_adjusted);
	json_object_set_new(o, "verdict",
			    json_string(verdict_name(r->verdict)));
	if (r->why)
		json_object_set_new(o, "reason", json_string(r->why));
	set_totals(o, "base_total", &r->base);
	set_totals(o, "new_total", &r->new);
	if (r->tier == TIER_TIMED) {
		set_timed(o, r);
	} else if (!sample_is_one(&r->base) || !sample_is_one(&r->new)) {
		json_object_set_new(o, "same_by_seed",
				    json_boolean(r->same_by_seed));
	}
	if (r->cause.known)
		json_object_set_new(o, "cause", cause_json(&r->cause));
	return o;
}

static json_t *results_json(const struct comparison *c)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < c->nr_results; i++)
		json_array_append_new(all, result_json(&c->results[i]));
	return all;
}

static json_t *findings_json(const struct comparison *c)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < c->nr_findings; i++) {
		const struct finding *x = &c->findings[i];

		json_array_append_new(all, json_pack(
			"{s:s, s:s, s:s, s:O, s:s, s:s, s:O, s:s}",
			"rule", x->rule, "severity",
			severity_name(x->severity), "bench", x->bench,
			"params", x->point->params, "mode", x->point->mode,
			"text", x->text, "evidence", x->evidence, "reproduce",
			x->reproduce));
	}
	return all;
}

static json_t *missing_json(const struct comparison *c)
{
	static const char *const where[] = { "base", "new", "both" };
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < c->nr_missing; i++) {
		const struct not_compared *m = &c->missing[i];

		json_array_append_new(all, json_pack(
			"{s:s, s:O, s:s, s:s, s:s, s:s, s:I, s:I}",
			"bench", m->point->bench, "params", m->point->params,
			"mode", m->point->mode, "side", where[m->where],
			"status", m->status, "reason", m->reason,
			"files", (json_int_t)m->boots,
			"of", (json_int_t)m->of));
	}
	return all;
}

static json_t *one_sided_json(const struct comparison *c)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < c->nr_one_sided; i++) {
		const struct one_sided *x = &c->one_sided[i];

		json_array_append_new(all, json_pack(
			"{s:s, s:O, s:s, s:s, s:s, s:s, s:o, s:s}",
			"bench", x->point->bench, "params", x->point->params,
			"mode", x->point->mode, "metric", x->metric,
			"unit", x->facts.unit, "side",
			x->in_base ? "base" : "new", "value",
			number_json(x->value), "reason", x->why));
	}
	return all;
}

static json_t *counts_json(const struct comparison *c)
{
	json_t *o = json_pack("{s:I}", "compared", (json_int_t)c->nr_results);
	int v;

	for (v = 0; v < NR_VERDICTS; v++)
		json_object_set_new(o, verdict_name(v),
				    json_integer(c->count[v]));
	return o;
}

static json_t *strings_json(const char *const *s, size_t nr)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < nr; i++)
		json_array_append_new(all, path_json(s[i]));
	return all;
}

static json_t *options_json(const struct compare_options *o)
{
	return json_pack("{s:f, s:f, s:s, s:o, s:o, s:o, s:{s:I, s:I, s:f}}",
			 "margin", o->margin, "alpha", o->alpha, "center",
			 o->center == stat_mean ? "mean" : "median",
			 "allow", strings_json(o->allow, o->nr_allow),
			 "bench", strings_json(o->select.benches,
					       o->select.nr_benches),
			 "metric", strings_json(o->select.metrics,
						o->select.nr_metrics),
			 "bootstrap", "resamples", (json_int_t)o->resamples,
			 "seed", (json_int_t)o->seed, "confidence", .95);
}

json_t *comparison_json(const struct comparison *c)
{
	json_t *o = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:{s:I, s:I, s:s},"
			 " s:o, s:o, s:o, s:o, s:o}",
			 "schema", COMPARE_SCHEMA, "version", PTELAB_VERSION,
			 "base", side_json(c->base), "new", side_json(c->new),
			 "options", options_json(c->options),
			 "environment_differences", environment_json(&c->env),
			 "counts", counts_json(c),
			 "family", "timed", (json_int_t)c->timed, "adjusted",
			 (json_int_t)c->family, "adjustment",
			 c->permuted ? "max-t permutation" : "Holm",
			 "results", results_json(c),
			 "findings", findings_json(c),
			 "not_compared", missing_json(c),
			 "one_side_only", one_sided_json(c),
			 "notes", strings_json((const char *const *)c->notes,
					       c->nr_notes));

	json_object_set_new(o, "exercised",
			    json_string(exercised_name(c->exercised)));
	if (c->changes)
		json_object_set(o, "changes", c->changes);
	if (c->releases)
		json_object_set_new(o, "two_releases",
				    json_string(c->releases));
	return o;
}

void report_json(const struct report *r, FILE *f)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < r->nr; i++)
		json_array_append_new(all, comparison_json(r->c[i]));
	json_dumpf(r->nr == 1 ? json_array_get(all, 0) : all, f,
		   JSON_INDENT(1) | JSON_REAL_PRECISION(17));
	fputc('\n', f);
	json_decref(all);
}

/* --- CSV (RFC 4180) --- */

void csv_text(FILE *f, const char *text, char end)
{
	char *clean = clean_text(text);
	bool quote = strpbrk(clean, ",\"");

	if (quote)
		fputc('"', f);
	/* or a spreadsheet takes it for a formula */
	if (*clean && strchr("=+-@", *clean))
		fputc('\'', f);
	for (text = clean; *text; text++) {
		if (*text == '"')
			fputc('"', f);
		fputc(*text, f);
	}
	if (quote)
		fputc('"', f);
	fputc(end, f);
	free(clean);
}

void csv_number(FILE *f, double v, char end)
{
	char text[32];

	/* as few digits as give the very same number */
	snprintf(text, sizeof(text), "%.15g", v);
	if (strtod(text, NULL) != v)
		snprintf(text, sizeof(text), "%.17g", v);
	if (isfinite(v))
		fputs(text, f);
	fputc(end, f);
}

static void csv_result(const struct comparison *c, const struct result *r,
		       FILE *f)
{
	char *params = params_text(r->point->params, " ");
	const double numbers[] = {
		r->base.median, r->base.min, r->base.max, r->new.median,
		r->new.min, r->new.max, r->delta, r->ratio, r->ci_low,
		r->ci_high, r->base.boots, r->new.boots, r->p, r->p_adjusted,
	};
	size_t i;

	csv_text(f, c->new->run->path, ',');
	csv_text(f, r->point->bench, ',');
	csv_text(f, params, ',');
	csv_text(f, r->point->mode, ',');
	csv_text(f, r->metric, ',');
	csv_text(f, r->facts.unit, ',');
	csv_text(f, tier_name(r->tier), ',');
	csv_text(f, better_name(r->facts.better), ',');
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		csv_number(f, numbers[i], ',');
	csv_text(f, verdict_name(r->verdict), '\n');
	free(params);
}

void report_csv(const struct report *r, FILE *f)
{
	size_t i, j;

	fputs("run,bench,params,mode,metric,unit,tier,better,base,base_min,base_max,new,new_min,new_max,delta,ratio,ci_low,ci_high,boots_base,boots_new,p,p_adjusted,verdict\n",
	      f);
	for (i = 0; i < r->nr; i++)
		for (j = 0; j < r->c[i]->nr_results; j++)
			csv_result(r->c[i], &r->c[i]->results[j], f);
}
