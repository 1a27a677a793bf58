// SPDX-License-Identifier: GPL-2.0
/* See show.h. One file though it is long: text, CSV and JSON print the same. */
#include "analysis/report/show.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/draw/pivot.h"
#include "analysis/draw/table.h"
#include "analysis/judge/plan.h"
#include "analysis/load/sample.h"
#include "analysis/report/report.h"
#include "lib/util.h"
#include "lib/version.h"

#define SHOW_SCHEMA	"ptelab-show-1"
/* A proof longer than this is cut: it is all in the file. */
#define PROOF_WIDTH	150

static size_t count_ok(const struct side_point *p)
{
	size_t nr = 0, i;

	for (i = 0; i < p->nr_obs; i++)
		nr += p->obs[i].ok;
	return nr;
}

/* The first observation that counts; the first of all if none does. */
static const struct observation *best_of(const struct side_point *p)
{
	size_t i;

	for (i = 0; i < p->nr_obs; i++)
		if (p->obs[i].ok)
			return &p->obs[i];
	return &p->obs[0];
}

/* Metrics of a point that are evidence of something, as keys; a new object. */
static json_t *metrics_of(const struct side_point *p,
			  const struct selection *select)
{
	json_t *all = json_object(), *value;
	const char *name;
	size_t i;

	for (i = 0; i < p->nr_obs; i++)
		json_object_foreach(json_object_get(p->obs[i].point,
						    "counters"), name, value)
			if (selected_metric(select, name) &&
			    metric_tier(p, name) != TIER_NONE)
				json_object_set_new(all, name, json_true());
	return all;
}

/* --- text --- */

/* Names that a line shows; --verbose shows all. */
#define FEW_NAMES	4

/*
 * Adds what a record's @absent names to @lacking, {reason: {metric: true}}, but
 * only metrics that are selected.
 */
static void note_absent(json_t *lacking, const json_t *absent,
			const struct selection *select)
{
	const char *name, *why;
	json_t *value, *names;

	json_object_foreach((json_t *)absent, name, value) {
		if (!selected_metric(select, name))
			continue;
		why = json_string_value(value);
		why = why ? why : "no reason given";
		names = json_object_get(lacking, why);
		if (!names) {
			names = json_object();
			json_object_set_new(lacking, why, names);
		}
		json_object_set_new(names, name, json_true());
	}
}

/* The first @max keys of @names, "a, b and 3 more". */
static char *name_list(json_t *names, size_t max)
{
	size_t nr = json_object_size(names), i = 0;
	char *list = xstrdup("");
	const char *name;
	json_t *value;

	json_object_foreach(names, name, value) {
		char *more;

		if (i == max)
			more = xasprintf("%s and %zu more", list, nr - max);
		else if (i < max)
			more = xasprintf("%s%s%s", list, i ? ", " : "", name);
		else
			break;
		i++;
		free(list);
		list = more;
	}
	return list;
}

static void print_absent(const json_t *absent, bool all, FILE *f)
{
	json_t *lacking = json_object(), *names;
	const char *reason;

	note_absent(lacking, absent, NULL);
	json_object_foreach(lacking, reason, names) {
		char *list = name_list(names, all ? SIZE_MAX : FEW_NAMES);

		print_labelled(f, "absent", 7, "%s: %s", list, reason);
		free(list);
	}
	json_decref(lacking);
}

static bool is_empty_bench(const struct side_point *p)
{
	return !strcmp(p->bench, "harness.empty");
}

/* Whether there are points, and none of them has a figure. */
static bool nothing_measured(const struct side *s)
{
	size_t nr = 0, ok = 0, i;

	for (i = 0; i < s->nr_points; i++) {
		if (is_empty_bench(&s->points[i]))
			continue;
		nr++;
		ok += count_ok(&s->points[i]) > 0;
	}
	return nr && !ok;
}

static void print_head(const struct side *s, bool all, FILE *f)
{
	const json_t *h = s->run->files[0]->header;
	size_t done = 0, i;

	for (i = 0; i < s->run->nr_files; i++)
		done += s->run->files[i]->complete;
	print_labelled(f, "run", 7, "%s: %zu file%s, %zu boot%s, %s%s",
		       s->run->path, s->run->nr_files,
		       plural(s->run->nr_files), s->nr_boots,
		       plural(s->nr_boots),
		       done == s->run->nr_files ? "complete" : "INCOMPLETE",
		       nothing_measured(s) ? ", but NOTHING WAS MEASURED" : "");
	report_side(s, "kernel", f);
	print_absent(json_object_get(h, "absent"), all, f);
	for (i = 0; i < s->nr_notes; i++)
		print_labelled(f, "note", 7, "%s", s->notes[i]);
}

static char *proof_text(const struct observation *o)
{
	char *text = json_dumps(json_object_get(o->point, "proof"), 0), *short_;

	if (!text || !strcmp(text, "{}")) {
		free(text);
		return NULL;
	}
	if (strlen(text) <= PROOF_WIDTH)
		return text;
	short_ = xasprintf("%.*s ...", PROOF_WIDTH, text);
	free(text);
	return short_;
}

static void point_heading(struct table *t, const struct side_point *p,
			  bool mode)
{
	char *params = params_text(p->params, " ");

	table_line(t, 0, "%s%s%s%s%s%s", p->bench, *params ? " " : "", params,
		   mode ? " (" : "", mode ? p->mode : "", mode ? ")" : "");
	free(params);
}

/* How large the batches were, the harness's share, and the proof. */
static void print_measurement(struct table *t, const struct observation *o,
			      bool all)
{
	json_int_t batches = json_integer_value(json_object_get(
			json_object_get(o->point, "batches"), "count"));
	json_int_t ops = json_integer_value(json_object_get(o->point,
							    "operations"));
	json_t *harness = json_object_get(o->point, "harness");
	json_t *share = json_object_get(harness, "instructions");
	const char *why = json_string_value(json_object_get(harness, "why"));
	char *proof = all ? proof_text(o) : NULL, *own = NULL;

	if (json_is_number(share))
		own = xasprintf("; the harness is %.2g%% of the instructions%s%s",
				100 * json_number_value(share),
				why ? ": " : "", why ? why : "");
	if (ops)
		table_line(t, 4, "%" JSON_INTEGER_FORMAT " operations x %"
			   JSON_INTEGER_FORMAT " batches%s", ops, batches,
			   own ? own : "");
	if (proof)
		table_line(t, 4, "proof: %s", proof);
	free(own);
	free(proof);
}

/* What --perf left of the point, and what its events cost a batch. */
static void print_perf(struct table *t, const struct observation *o)
{
	const json_t *perf = json_object_get(o->point, "perf");
	const json_t *samples = json_object_get(perf, "samples");
	const json_t *with = json_object_get(perf, "batch_ns");
	char *text = xstrdup("");

	if (!json_is_object(perf))
		return;
	if (json_is_integer(samples))
		append_text(&text, "", "%" JSON_INTEGER_FORMAT " samples",
			    json_integer_value(samples));
	if (*json_text(perf, "file"))
		append_text(&text, " in ", "%s", json_text(perf, "file"));
	if (json_is_number(with))
		append_text(&text, "; ", "a batch takes %.0f ns with its events enabled, %.0f ns without",
			    json_number_value(with), json_number_value(
			    json_object_get(perf, "batch_ns_without")));
	table_line(t, 4, "%s: %s", json_text(perf, "command"), text);
	free(text);
}

/* Every different status of the point's files that is not "ok". */
static void print_status(struct table *t, const struct side_point *p)
{
	size_t i, j, nr;

	for (i = 0; i < p->nr_obs; i++) {
		const struct observation *o = &p->obs[i];

		for (j = 0; j < i; j++)
			if (!p->obs[j].ok &&
			    !strcmp(observation_reason(&p->obs[j]),
				    observation_reason(o)))
				break;
		if (o->ok || j < i)
			continue;
		nr = 0;
		for (j = i; j < p->nr_obs; j++)
			nr += !p->obs[j].ok &&
			      !strcmp(observation_reason(&p->obs[j]),
				      observation_reason(o));
		if (nr < p->nr_obs)
			table_line(t, 2, "%s in %zu of %zu files: %s",
				   observation_status(o), nr, p->nr_obs,
				   observation_reason(o));
		else
			table_line(t, 2, "%s: %s", observation_status(o),
				   observation_reason(o));
	}
}

static void metric_row(struct table *t, const struct side_point *p,
		       const char *metric)
{
	enum tier tier = metric_tier(p, metric);
	struct sample s = sample_take(p, metric, tier, NULL);
	double v[] = { s.min, s.max, s.median };
	char a[NUMBER_SIZE], b[NUMBER_SIZE];
	int d = decimals_for(v, 3, s.max - s.min, tier);

	if (s.nr) {
		table_row(t);
		table_cell(t, "%s", metric);
		table_cell(t, "%s", format_number(s.median, d, a));
		if (sample_is_one(&s))
			table_cell(t, "%s", s.nr > 1 ? "same" : "");
		else
			table_cell(t, "%s..%s", format_number(s.min, d, a),
				   format_number(s.max, d, b));
		table_cell(t, "%s", tier_name(tier));
		table_cell(t, "%s", format_number(s.total, 0, a));
		table_cell(t, "%s", format_number(s.operations, 0, a));
	}
	sample_free(&s);
}

/*
 * Where time varies: deviation between batches and between boots, and how well
 * the boots tell their median.
 */
static void variation_line(struct table *t, const struct side_point *p,
			   const char *metric)
{
	struct stat_bootstrap opt = { stat_median, 5000, 1, .95, false };
	enum tier tier = metric_tier(p, metric);
	struct nest n = nest_take(p, metric);
	struct plan_row r = { 0 };
	char low[NUMBER_SIZE], high[NUMBER_SIZE], *ci = NULL;
	struct sample s;

	if (tier == TIER_TIMED && plan_levels(&r, &n) && r.batches > 1) {
		s = sample_take(p, metric, tier, NULL);
		if (s.nr >= STAT_MIN_BOOTS) {
			struct stat_interval i = stat_bca(s.v, s.nr, &opt);

			ci = xasprintf("; 95%% of the median %s..%s",
				       format_value(i.low, tier, low),
				       format_value(i.high, tier, high));
		}
		table_line(t, 4, "%s: deviation %.2g%% between batches, %s%.2g%% between boots%s",
			   metric, 100 * sqrt(r.batch_var),
			   r.boot_var <= 0 ? "below " : "",
			   100 * sqrt(r.boot_var > 0 ? r.boot_var :
				      r.batch_var / r.batches), ci ? ci : "");
		free(ci);
		sample_free(&s);
	}
	nest_free(&n);
}

/* Takes the metrics that are always 0 out of @names; returns them. */
static json_t *take_zeros(json_t *names, const struct side_point *p)
{
	json_t *zeros = json_object(), *value;
	const char *name;
	void *next;

	json_object_foreach_safe(names, next, name, value) {
		struct sample s = sample_take(p, name, metric_tier(p, name),
					      NULL);

		if (s.nr && !s.min && !s.max) {
			json_object_set_new(zeros, name, json_true());
			json_object_del(names, name);
		}
		sample_free(&s);
	}
	return zeros;
}

static void print_lacking(struct table *t, const struct observation *o,
			  const struct selection *select)
{
	json_t *lacking = json_object(), *names;
	const char *reason;

	note_absent(lacking, json_object_get(o->point, "absent"), select);
	json_object_foreach(lacking, reason, names) {
		char *list = name_list(names, SIZE_MAX);

		table_line(t, 4, "no %s: %s", list, reason);
		free(list);
	}
	json_decref(lacking);
}

static void print_point(struct table *t, const struct side_point *p, bool mode,
			const struct selection *select, bool all)
{
	json_t *metrics_here = metrics_of(p, select), *value, *zeros;
	const struct observation *o = best_of(p);
	const char *name;
	char *list;

	point_heading(t, p, mode);
	print_status(t, p);
	/* who names metrics wants to see them */
	zeros = all || (select && select->nr_metrics) ? json_object() :
						take_zeros(metrics_here, p);
	json_object_foreach(metrics_here, name, value)
		metric_row(t, p, name);
	json_object_foreach(metrics_here, name, value)
		variation_line(t, p, name);
	if (o->ok) {
		print_measurement(t, o, all);
		print_perf(t, o);
	}
	if (json_object_size(zeros)) {
		list = name_list(zeros, FEW_NAMES);
		table_line(t, 4, "0: %s", list);
		free(list);
	}
	if (all)
		print_lacking(t, o, select);
	json_decref(zeros);
	json_decref(metrics_here);
}

/* A line for each reason why points lack metrics, whatever the points. */
static void print_lacking_anywhere(const struct side *s,
				   const struct selection *select, FILE *f)
{
	json_t *lacking = json_object(), *names;
	const char *reason;
	size_t i;

	for (i = 0; i < s->nr_points; i++)
		note_absent(lacking, json_object_get(
				best_of(&s->points[i])->point, "absent"), select);
	if (json_object_size(lacking))
		fputs("\nnot measured everywhere (-v: what, and where):\n", f);
	json_object_foreach(lacking, reason, names) {
		char *list = name_list(names, FEW_NAMES);
		char *text = xasprintf("%s: %s", list, reason);
		char *clean = clean_text(text);

		print_wrapped(f, clean, 2, 4, SHOW_WIDTH);
		free(clean);
		free(text);
		free(list);
	}
	json_decref(lacking);
}

/* Whether the run has boots of more than one machine mode. */
static bool many_modes(const struct side *s)
{
	size_t i;

	for (i = 1; i < s->nr_boots; i++)
		if (strcmp(s->boots[i].mode, s->boots[0].mode))
			return true;
	return false;
}

void show_text(const struct side *s, const struct selection *select, bool all,
	       FILE *f)
{
	static const struct {
		const char *name;
		bool right;
	} columns[] = {
		{ "metric", false }, { "per op", true },
		{ "over boots", true }, { "tier", false }, { "total", true },
		{ "ops", true },
	};
	struct table *t = table_new();
	size_t ok = 0, i;

	print_head(s, all, f);
	fputc('\n', f);
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		table_column(t, columns[i].name, columns[i].right);
	for (i = 0; i < s->nr_points; i++) {
		print_point(t, &s->points[i], many_modes(s), select, all);
		ok += count_ok(&s->points[i]) > 0;
	}
	table_print_mail(t, f, 2, SHOW_WIDTH);
	table_free(t);
	if (!all)
		print_lacking_anywhere(s, select, f);
	fprintf(f, "\n%zu point%s, %zu measured\n", s->nr_points,
		plural(s->nr_points), ok);
}

/* --- the figures of a run that has just ended --- */

/* "wake of a shared futex", or the benchmark's name. */
static const char *words_of(const struct side_point *p)
{
	const char *words = json_text(p->obs[0].point, "words");

	return *words ? words : p->bench;
}

/* The point in words, its folio, and what tells it from others of its words. */
static char *point_words(const struct side *s, const struct side_point *p)
{
	const struct side_point **same = xcalloc(s->nr_points, sizeof(*same));
	const char *folio = json_text(p->params, "folio");
	char *params, *text;
	json_t *constant;
	size_t nr = 0, i;

	for (i = 0; i < s->nr_points; i++)
		if (!strcmp(words_of(&s->points[i]), words_of(p)))
			same[nr++] = &s->points[i];
	constant = constant_params(same, nr);
	if (*folio)
		json_object_set_new(constant, "folio", json_string(folio));
	params = varying_params(p, constant);
	text = xasprintf("%s%s%s%s%s", words_of(p), *folio ? ", " : "", folio,
			 *params ? ", " : "", params);
	json_decref(constant);
	free(params);
	free(same);
	return text;
}

/* The metric that a point costs; NULL if it has none that is evidence. */
static const char *cost_of(const struct side_point *p)
{
	const char *metric;
	unsigned int rank;
	double v;

	for (rank = 1; (metric = metric_cost(rank)); rank++)
		if (observation_value(best_of(p), metric, &v) &&
		    metric_tier(p, metric) != TIER_NONE)
			return metric;
	return NULL;
}

/* The middle half of a point's batches; "" where they do not vary. */
static char *batches_text(const struct side_point *p, const char *metric)
{
	double *v, q[2];
	size_t nr = batches_in_order(best_of(p), metric, &v);
	char low[NUMBER_SIZE], high[NUMBER_SIZE], *text = NULL;
	int d;

	if (nr > 1) {
		stat_sort(v, nr);
		q[0] = stat_quantile(v, nr, .25);
		q[1] = stat_quantile(v, nr, .75);
		d = decimals_for(q, 2, q[1] - q[0], metric_tier(p, metric));
		if (q[1] > q[0])
			text = xasprintf("%s..%s", format_number(q[0], d, low),
					 format_number(q[1], d, high));
	}
	free(v);
	return text ? text : xstrdup("");
}

void show_figures(const struct side *s, size_t most, FILE *f)
{
	struct table *t = table_new();
	size_t shown = 0, more = 0, i;

	table_column(t, "per operation", false);
	table_column(t, "", true);
	table_column(t, "", false);
	table_column(t, "half of the batches", true);
	for (i = 0; i < s->nr_points; i++) {
		const struct side_point *p = &s->points[i];
		const char *metric = count_ok(p) && !is_empty_bench(p) ?
				     cost_of(p) : NULL;
		char number[NUMBER_SIZE], *words, *spread;
		double v;

		if (!metric || shown == most) {
			more += metric != NULL;
			continue;
		}
		shown++;
		words = point_words(s, p);
		spread = batches_text(p, metric);
		observation_value(best_of(p), metric, &v);
		table_row(t);
		table_cell(t, "%s", words);
		table_cell(t, "%s", format_value(v, metric_tier(p, metric),
						 number));
		table_cell(t, "%s", metric);
		table_cell(t, "%s", spread);
		free(spread);
		free(words);
	}
	if (shown)
		table_print_mail(t, f, 2, SHOW_WIDTH);
	if (more)
		fprintf(f, "  and %zu more point%s\n", more, plural(more));
	table_free(t);
}

/* --- for programs --- */

static void csv_point(const struct side_point *p, FILE *f)
{
	char *params = params_text(p->params, " ");

	csv_text(f, p->bench, ',');
	csv_text(f, params, ',');
	csv_text(f, p->mode, ',');
	csv_text(f, observation_status(best_of(p)), ',');
	free(params);
}

static void csv_line(const struct side_point *p, const char *metric, FILE *f)
{
	enum tier tier = metric_tier(p, metric);
	struct sample s = sample_take(p, metric, tier, NULL);
	const double v[] = { s.median, s.min, s.max, s.boots, s.total,
			     s.operations };
	size_t i;

	csv_point(p, f);
	csv_text(f, metric, ',');
	csv_text(f, file_metric(p->obs[0].file, metric).unit, ',');
	csv_text(f, tier_name(tier), ',');
	for (i = 0; i < ARRAY_SIZE(v); i++)
		csv_number(f, v[i], ',');
	csv_text(f, "", '\n');
	sample_free(&s);
}

/* A point without figures: a line that says why. */
static void csv_reason(const struct side_point *p, FILE *f)
{
	size_t i;

	csv_point(p, f);
	for (i = 0; i < 9; i++)
		csv_text(f, "", ',');
	csv_text(f, observation_reason(best_of(p)), '\n');
}

void show_csv(const struct side *s, const struct selection *select, FILE *f)
{
	const char *name;
	json_t *value;
	size_t i;

	fputs("bench,params,mode,status,metric,unit,tier,per_op,min,max,boots,total,operations,reason\n",
	      f);
	for (i = 0; i < s->nr_points; i++) {
		const struct side_point *p = &s->points[i];
		json_t *here = metrics_of(p, select);

		json_object_foreach(here, name, value)
			csv_line(p, name, f);
		if (!count_ok(p))
			csv_reason(p, f);
		json_decref(here);
	}
}

static json_t *metric_json(const struct side_point *p, const char *metric)
{
	enum tier tier = metric_tier(p, metric);
	struct sample s = sample_take(p, metric, tier, NULL);
	struct metric_facts facts = file_metric(p->obs[0].file, metric);
	json_t *o = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}",
			      "unit", facts.unit, "tier", tier_name(tier),
			      "better", better_name(facts.better), "per_op",
			      sample_json(&s), "boots", number_json(s.boots),
			      "total", number_json(s.total), "operations",
			      number_json(s.operations));

	sample_free(&s);
	return o;
}

static json_t *copy_or_empty(const json_t *o, const char *key)
{
	json_t *value = json_object_get(o, key);

	return value ? json_incref(value) : json_object();
}

static json_t *point_json(const struct side_point *p,
			  const struct selection *select)
{
	json_t *here = metrics_of(p, select), *all = json_object(), *value, *o;
	const struct observation *best = best_of(p);
	const char *name;

	json_object_foreach(here, name, value)
		json_object_set_new(all, name, metric_json(p, name));
	json_decref(here);
	o = json_pack("{s:s, s:O, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o}",
		      "bench", p->bench, "params", p->params, "mode", p->mode,
		      "status", observation_status(best),
		      "files", (json_int_t)p->nr_obs,
		      "files_ok", (json_int_t)count_ok(p), "metrics", all,
		      "absent", copy_or_empty(best->point, "absent"),
		      "harness", copy_or_empty(best->point, "harness"),
		      "proof", copy_or_empty(best->point, "proof"));
	if (!best->ok)
		json_object_set_new(o, "reason",
				    json_string(observation_reason(best)));
	return o;
}

void show_json(const struct side *s, const struct selection *select, FILE *f)
{
	json_t *points = json_array(), *doc;
	size_t i;

	for (i = 0; i < s->nr_points; i++)
		json_array_append_new(points, point_json(&s->points[i],
							 select));
	doc = json_pack("{s:s, s:s, s:o, s:o}", "schema", SHOW_SCHEMA,
			"version", PTELAB_VERSION, "run", side_json(s),
			"points", points);
	json_dumpf(doc, f, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
	fputc('\n', f);
	json_decref(doc);
}
