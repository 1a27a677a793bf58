/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Made-up runs for tests, through the real writer. A point is one string:
 *
 *	BENCH k=v k=v : METRIC=VALUE METRIC=VALUE ...
 *	BENCH k=v k=v ! STATUS REASON
 *
 * VALUE is per operation: 16; 16+2 (2 more with each further seed); 500%1
 * (boots differ by about 1 %, batches by a fifth of that); -WHY (absent).
 * words=copy_on_write is the point in words.
 */
#ifndef PTELAB_FIXTURE_H
#define PTELAB_FIXTURE_H

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/metric.h"
#include "lib/record.h"
#include "lib/util.h"

#define FIXTURE_BATCHES	5
#define FIXTURE_OPS	256

struct fixture {
	const char *dir;
	const char *release, *build_id;
	const char *mode;		/* exact, race, timed */
	unsigned int boots, processes;
	unsigned int first_seed;	/* boots count up from here */
	const char *const *settings;	/* "key=value" of the environment */
	size_t nr_settings;
	const char *cmdline;
	const char *const *points;
	size_t nr_points;
	int truncated;			/* the last boot has no footer */
};

/* Deterministic noise, roughly normal with deviation 1. */
static inline double fixture_noise(unsigned int a, unsigned int b,
				   const char *text)
{
	unsigned long long h = 1469598103934665603ULL + a * 7919ULL +
			       b * 104729ULL;
	double sum = 0;
	int i;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211ULL;
	for (i = 0; i < 12; i++) {
		h = h * 6364136223846793005ULL + 1442695040888963407ULL;
		sum += (h >> 11) / 9007199254740992.;
	}
	return sum - 6;
}

static inline json_t *fixture_number(double v)
{
	return v == floor(v) && fabs(v) < 1e15 ?
	       json_integer((json_int_t)v) : json_real(v);
}

static inline json_t *fixture_header(const struct fixture *f,
				     unsigned int boot)
{
	int emulated = strcmp(f->mode, "timed"), exact = !strcmp(f->mode,
								 "exact");
	json_t *env = json_pack("{s:s, s:s}", "thp.enabled", "madvise",
				"aslr", "2"), *all = json_object(), *h;
	char *id = xasprintf("%s-%s-%u", f->release, f->mode, boot);
	size_t i;

	for (i = 0; i < f->nr_settings; i++) {
		char *key = xstrdup(f->settings[i]), *eq = strchr(key, '=');

		*eq = '\0';
		json_object_set_new(env, key, json_string(eq + 1));
		free(key);
	}
	for (i = 0; i < metrics_nr; i++)
		json_object_set_new(all, metrics[i].name,
				    metric_to_json(&metrics[i]));
	h = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:{s:s, s:i, s:[i]},"
		      " s:{s:s, s:s, s:b, s:s}, s:i, s:[s,s,s,s], s:o,"
		      " s:{s:s, s:f, s:f, s:f}, s:o, s:{}}",
		      "version", "0.1.0", "boot_id", id, "kernel_release",
		      f->release, "build_id", f->build_id, "config_hash",
		      "c0ffee", "cmdline", f->cmdline, "arch", "arm64",
		      "page_size", 4096, "cpu", "model", "Cortex-T", "online",
		      exact ? 1 : 2, "measuring", 0, "machine", "kind",
		      emulated ? "emulated" : "bare", "clock",
		      emulated ? "emulated" : "real", "icount", exact,
		      "mode", f->mode, "seed", f->first_seed + boot,
		      "command", "ptelab", "run", "-b", "gup.*",
		      "environment", env, "clock", "source", "cntvct_el0",
		      "frequency_hz", 62.5e6, "granularity_ns", 16.,
		      "cost_ns", 20., "metrics", all, "absent");
	free(id);
	return h;
}

static inline json_t *fixture_param(const char *text)
{
	uint64_t v;

	return parse_u64(text, &v) ? json_string(text) : json_integer(v);
}

static inline void fixture_words(json_t *point, char *text)
{
	char *c;

	for (c = text; *c; c++)
		*c = *c == '_' ? ' ' : *c;
	json_object_set_new(point, "words", json_string(text));
}

/* One METRIC=VALUE into a point. */
static inline void fixture_metric(json_t *point, const struct fixture *f,
				  unsigned int boot, unsigned int process,
				  char *name, char *value)
{
	json_t *list = json_array(), *counter;
	double v, spread, batch[FIXTURE_BATCHES], total = 0;
	const struct metric *m = metric_find(name);
	int timed = !m || m->kind != METRIC_EVENT, i, j;
	char *end;

	if (*value == '-' && !(value[1] >= '0' && value[1] <= '9')) {
		json_object_set_new(json_object_get(point, "absent"), name,
				    json_string(value + 1));
		json_decref(list);
		return;
	}
	v = strtod(value, &end);
	spread = *end ? strtod(end + 1, NULL) : 0;
	if (*end == '+')
		v += spread * boot;
	if (*end == '%')
		v *= 1 + spread / 100 * fixture_noise(boot, 0, f->release);
	for (i = 0; i < FIXTURE_BATCHES; i++) {
		batch[i] = v * FIXTURE_OPS;
		if (*end == '%')
			batch[i] *= 1 + spread / 500 * fixture_noise(boot,
					100 + 10 * process + i, f->release);
		total += batch[i];
		json_array_append_new(list, fixture_number(batch[i]));
	}
	for (i = 1; i < FIXTURE_BATCHES; i++)
		for (j = i; j && batch[j - 1] > batch[j]; j--) {
			double x = batch[j];

			batch[j] = batch[j - 1];
			batch[j - 1] = x;
		}
	counter = json_pack("{s:o, s:o, s:i, s:s}", "per_op",
			    fixture_number(batch[FIXTURE_BATCHES / 2] /
					   FIXTURE_OPS),
			    "total", fixture_number(total), "operations",
			    FIXTURE_OPS * FIXTURE_BATCHES, "pass",
			    timed ? "timed" : "counted");
	json_object_set_new(json_object_get(point, "counters"), name, counter);
	if (timed)
		json_object_set_new(json_object_get(point, "batches"), name,
				    list);
	else
		json_decref(list);
}

static inline json_t *fixture_point(const struct fixture *f,
				    const char *spec, unsigned int boot,
				    unsigned int process)
{
	char *text = xstrdup(spec), *save, *word, *eq;
	json_t *params = json_object(), *point;
	int counters = 0;

	word = strtok_r(text, " ", &save);
	point = json_pack("{s:s, s:o, s:s, s:i, s:{s:i, s:i}, s:{}, s:{},"
			  " s:{s:f}, s:{s:i}}", "bench", word, "params",
			  params, "status", "ok", "operations", FIXTURE_OPS,
			  "batches", "count", FIXTURE_BATCHES, "warmup", 2,
			  "counters", "absent", "harness", "instructions",
			  .0042, "proof", "contpte_pages", 256);
	while ((word = strtok_r(NULL, " ", &save))) {
		if (!strcmp(word, ":")) {
			counters = 1;
			continue;
		}
		if (!strcmp(word, "!")) {
			json_object_set_new(point, "status", json_string(
					strtok_r(NULL, " ", &save)));
			json_object_set_new(point, "reason",
					    json_string(save));
			json_object_del(point, "batches");
			break;
		}
		eq = strchr(word, '=');
		if (!eq) {
			fprintf(stderr, "fixture: %s: %s?\n", spec, word);
			exit(2);
		}
		*eq = '\0';
		if (!strcmp(word, "words"))
			fixture_words(point, eq + 1);
		else if (counters)
			fixture_metric(point, f, boot, process, word, eq + 1);
		else
			json_object_set_new(params, word,
					    fixture_param(eq + 1));
	}
	free(text);
	return point;
}

/* Writes the whole run. Returns 0 or -errno with fail() text. */
static inline int fixture_write(const struct fixture *f)
{
	unsigned int boot, process;
	size_t i;

	for (boot = 0; boot < f->boots; boot++) {
		for (process = 0; process < f->processes; process++) {
			json_t *h = fixture_header(f, boot);
			struct run_writer *w = run_writer_open(f->dir, h);
			int last = boot + 1 == f->boots, ret;

			json_decref(h);
			if (!w)
				return -errno;
			for (i = 0; i < f->nr_points; i++) {
				json_t *p = fixture_point(f, f->points[i],
							  boot, process);

				ret = run_writer_point(w, p);
				json_decref(p);
				if (ret)
					return ret;
			}
			ret = run_writer_close(w, !(f->truncated && last));
			if (ret)
				return ret;
		}
	}
	return 0;
}

#endif
