// SPDX-License-Identifier: GPL-2.0
/* See load.h. Relies on lib/record.c for what a run file is. */
#include "analysis/load/load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

const char *json_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static const json_t *machine_of(const struct run_file *f)
{
	return json_object_get(f->header, "machine");
}

const char *file_mode(const struct run_file *f)
{
	const char *mode = json_text(machine_of(f), "mode");

	return *mode ? mode : "timed";
}

bool file_icount(const struct run_file *f)
{
	return json_is_true(json_object_get(machine_of(f), "icount"));
}

bool file_clock_emulated(const struct run_file *f)
{
	return !strcmp(json_text(machine_of(f), "clock"), "emulated");
}

const char *file_name(const struct run_file *f)
{
	const char *slash = strrchr(f->path, '/');

	return slash ? slash + 1 : f->path;
}

/*
 * Returns the entry for @name in a header's metrics, where "x.*" also matches
 * "x.y".
 */
static const json_t *metric_entry(const json_t *all, const char *name)
{
	json_t *entry = json_object_get(all, name);
	const char *dot = strchr(name, '.');
	char *family;

	if (entry || !dot)
		return entry;
	family = xasprintf("%.*s.*", (int)(dot - name), name);
	entry = json_object_get(all, family);
	free(family);
	return entry;
}

static struct metric_facts facts_of_entry(const json_t *entry)
{
	const char *kind = json_text(entry, "kind");
	const char *better = json_text(entry, "better");
	struct metric_facts m = { json_text(entry, "unit"), METRIC_EVENT,
				  BETTER_NONE };

	if (!strcmp(kind, "time"))
		m.kind = METRIC_TIME;
	else if (!strcmp(kind, "instructions"))
		m.kind = METRIC_INSTRUCTIONS;
	else if (!strcmp(kind, "tool"))
		m.kind = METRIC_TOOL;
	if (!strcmp(better, "lower"))
		m.better = BETTER_LOWER;
	else if (!strcmp(better, "higher"))
		m.better = BETTER_HIGHER;
	return m;
}

struct metric_facts file_metric(const struct run_file *f, const char *name)
{
	const json_t *entry = metric_entry(json_object_get(f->header,
							   "metrics"), name);
	const struct metric *known;

	if (json_is_object(entry))
		return facts_of_entry(entry);
	known = metric_find(name);
	if (known)
		return (struct metric_facts){ known->unit, known->kind,
					      known->better };
	return (struct metric_facts){ "", METRIC_EVENT, BETTER_NONE };
}

bool observation_value(const struct observation *o, const char *metric,
		       double *value)
{
	json_t *counter = json_object_get(json_object_get(o->point, "counters"),
					  metric);
	json_t *per_op = json_object_get(counter, "per_op");

	if (!o->ok || !json_is_number(per_op))
		return false;
	*value = json_number_value(per_op);
	return isfinite(*value);
}

const char *observation_absent(const struct observation *o, const char *metric)
{
	const char *why = json_text(json_object_get(o->point, "absent"),
				    metric);

	if (!*why)
		why = json_text(json_object_get(o->file->header, "absent"),
				metric);
	return *why ? why : NULL;
}

const char *observation_status(const struct observation *o)
{
	return json_text(o->point, "status");
}

const char *observation_reason(const struct observation *o)
{
	const char *why = json_text(o->point, "reason");

	return *why ? why : "no reason was recorded";
}

static void add_note(struct side *s, char *text)
{
	s->notes = grow(s->notes, s->nr_notes, sizeof(*s->notes));
	s->notes[s->nr_notes++] = text;
}

/* Returns the number of the file's boot, and adds the boot if it is new. */
static size_t boot_of(struct side *s, const struct run_file *f)
{
	const char *id = json_string_value(json_object_get(f->header,
							   "boot_id"));
	const char *mode = file_mode(f);
	size_t i;

	for (i = 0; id && i < s->nr_boots; i++)
		if (s->boots[i].id && !strcmp(s->boots[i].id, id) &&
		    !strcmp(s->boots[i].mode, mode))
			break;
	if (!id)
		i = s->nr_boots;
	if (i == s->nr_boots) {
		s->boots = grow(s->boots, s->nr_boots, sizeof(*s->boots));
		s->boots[s->nr_boots++] = (struct boot){ id, mode, f, 0 };
	}
	s->boots[i].nr_files++;
	return i;
}

static struct side_point *point_for(struct side *s, const struct run_file *f,
				    json_t *point)
{
	const char *bench = json_text(point, "bench");
	json_t *params = json_object_get(point, "params"), *at;
	char *key = point_key(file_mode(f), bench, params);

	at = json_object_get(s->index, key);
	if (at) {
		free(key);
		return &s->points[json_integer_value(at)];
	}
	json_object_set_new_nocheck(s->index, key, json_integer(s->nr_points));
	s->points = grow(s->points, s->nr_points, sizeof(*s->points));
	s->points[s->nr_points] = (struct side_point){
		.key = key, .mode = file_mode(f), .bench = bench,
		.params = params,
	};
	return &s->points[s->nr_points++];
}

static bool ignores_time(const struct run_file *f, const json_t *point)
{
	const char *name;
	json_t *value;

	if (!file_clock_emulated(f))
		return false;
	json_object_foreach(json_object_get(point, "counters"), name, value)
		if (file_metric(f, name).kind == METRIC_TIME)
			return true;
	return false;
}

/* Adds a file. Returns whether it has times that were left out. */
static bool add_file(struct side *s, const struct run_file *f,
		     const struct selection *select)
{
	size_t boot = boot_of(s, f), i;
	bool time = false;

	if (!f->complete)
		add_note(s, xasprintf("%s: incomplete: %s", f->path,
				      f->incomplete));
	for (i = 0; i < f->nr_points; i++) {
		json_t *point = f->points[i];
		struct side_point *p;

		if (!selected_point(select, json_text(point, "bench"),
				    json_object_get(point, "params")))
			continue;
		p = point_for(s, f, point);
		p->obs = grow(p->obs, p->nr_obs, sizeof(*p->obs));
		p->obs[p->nr_obs++] = (struct observation){
			f, boot, point,
			!strcmp(json_text(point, "status"), "ok"),
		};
		time = time || ignores_time(f, point);
	}
	return time;
}

/* Notes which counts of perf were not counted all the time. */
static void note_multiplexed(struct side *s)
{
	const char *name, *worst = NULL;
	double least = 100, share;
	size_t i, nr = 0;
	json_t *counter;

	for (i = 0; i < s->run->nr_files; i++) {
		const struct run_file *f = s->run->files[i];
		size_t k;

		for (k = 0; k < f->nr_points; k++) {
			json_object_foreach(json_object_get(f->points[k],
					    "counters"), name, counter) {
				json_t *v = json_object_get(counter,
							    "percent_running");

				share = json_is_number(v) ?
					json_number_value(v) : 100;
				nr += share < 100;
				if (share < least)
					worst = name;
				least = share < least ? share : least;
			}
		}
	}
	if (nr)
		add_note(s, xasprintf("multiplexed: perf counted %s only %.0f %% of the time, and scaled it up (%zu count%s so)",
				      worst, least, nr, nr == 1 ? "" : "s"));
}

static char *label_of(const char *path)
{
	size_t end = strlen(path), start;

	while (end > 1 && path[end - 1] == '/')
		end--;
	start = end;
	while (start && path[start - 1] != '/')
		start--;
	return xstrndup(path + start, end - start);
}

struct side *side_of_run(struct run *run, const struct selection *select)
{
	struct side *s = xcalloc(1, sizeof(*s));
	size_t i, time = 0;

	s->run = run;
	s->label = label_of(run->path);
	s->index = json_object();
	for (i = 0; i < run->nr_files; i++)
		time += add_file(s, run->files[i], select);
	if (time)
		add_note(s, xasprintf("emulated clock: times are left out (%zu file%s)",
				      time, time == 1 ? "" : "s"));
	note_multiplexed(s);
	return s;
}

struct side *side_load(const char *path, const struct selection *select)
{
	struct run *run = run_load(path);

	return run ? side_of_run(run, select) : NULL;
}

void side_free(struct side *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->nr_points; i++) {
		free(s->points[i].key);
		free(s->points[i].obs);
	}
	for (i = 0; i < s->nr_notes; i++)
		free(s->notes[i]);
	json_decref(s->index);
	free(s->points);
	free(s->notes);
	free(s->boots);
	free(s->label);
	run_free(s->run);
	free(s);
}

const struct side_point *side_find(const struct side *s, const char *key)
{
	json_t *at = json_object_get(s->index, key);

	return at ? &s->points[json_integer_value(at)] : NULL;
}

size_t side_boots(const struct side *s, const char *mode)
{
	size_t nr = 0, i;

	for (i = 0; i < s->nr_boots; i++)
		nr += !mode || !strcmp(s->boots[i].mode, mode);
	return nr;
}
