// SPDX-License-Identifier: GPL-2.0
/* See litmus_log.h. */
#include "analysis/family/litmus_log.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/load/select.h"
#include "lib/util.h"

static void add_state(struct litmus_result *r, const char *text, size_t len,
		      uint64_t count, bool positive)
{
	struct litmus_state *s;
	size_t i;

	for (i = 0; i < r->nr_states; i++)
		if (strlen(r->states[i].text) == len &&
		    !strncmp(r->states[i].text, text, len))
			break;
	if (i == r->nr_states) {
		r->states = grow(r->states, i, sizeof(*r->states));
		r->states[r->nr_states++] = (struct litmus_state){
			.text = xstrndup(text, len), .positive = positive,
		};
	}
	s = &r->states[i];
	s->count += count;
	if (positive)
		r->positive += count;
	else
		r->negative += count;
}

void litmus_result_free(struct litmus_result *r)
{
	size_t i;

	for (i = 0; i < r->nr_states; i++)
		free(r->states[i].text);
	free(r->states);
	free(r->test);
	free(r->condition);
	memset(r, 0, sizeof(*r));
}

void litmus_results_free(struct litmus_result *r, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		litmus_result_free(&r[i]);
	free(r);
}

/* --- from a run --- */

/*
 * Returns a name for the point; the caller frees. barrier.publish is not a
 * litmus test, so it is named by its parameters.
 */
static char *name_of(const struct side_point *p, const json_t *proof)
{
	const char *test = json_text(proof, "test");

	if (*test)
		return xstrdup(test);
	return xasprintf("publish+%s+%s+%s", json_text(p->params, "writer"),
			 json_text(p->params, "reader"),
			 json_text(p->params, "watch"));
}

bool litmus_result_of(const struct side_point *p, struct litmus_result *r)
{
	const char *target, *text;
	json_t *proof, *count;
	size_t i;

	memset(r, 0, sizeof(*r));
	for (i = 0; i < p->nr_obs; i++) {
		proof = json_object_get(p->obs[i].point, "proof");
		if (!p->obs[i].ok || !json_object_get(proof, "histogram"))
			continue;
		if (!r->test) {
			r->test = name_of(p, proof);
			r->condition = xstrdup(json_text(proof, "condition"));
		}
		target = json_text(proof, "target");
		json_object_foreach(json_object_get(proof, "histogram"), text,
				    count)
			add_state(r, text, strlen(text),
				  json_integer_value(count),
				  !strcmp(text, target));
		/* NAN if one has no duration */
		count = json_object_get(proof, "seconds");
		r->seconds += count ? json_number_value(count) : NAN;
	}
	return r->test;
}

static const char *observation(const struct litmus_result *r)
{
	return !r->positive ? "Never" : r->negative ? "Sometimes" : "Always";
}

void litmus_print(const struct litmus_result *r, FILE *f)
{
	size_t i;

	fprintf(f, "Test %s Allowed\nHistogram (%zu states)\n", r->test,
		r->nr_states);
	for (i = 0; i < r->nr_states; i++)
		fprintf(f, "%-6" PRIu64 "%c>%s\n", r->states[i].count,
			r->states[i].positive ? '*' : ':', r->states[i].text);
	fprintf(f, "%s\n\nWitnesses\nPositive: %" PRIu64 ", Negative: %" PRIu64 "\n",
		r->positive ? "Ok" : "No", r->positive, r->negative);
	if (r->condition)
		fprintf(f, "Condition exists %s is %svalidated\n",
			r->condition, r->positive ? "" : "NOT ");
	fprintf(f, "Observation %s %s %" PRIu64 " %" PRIu64 "\n", r->test,
		observation(r), r->positive, r->negative);
	if (!isnan(r->seconds))
		fprintf(f, "Time %s %.2f\n", r->test, r->seconds);
	fputc('\n', f);
}

/* --- from a log --- */

/* Parses a state, "3318 *>0:rax=0; 1:rax=0;". */
static bool parse_state(struct litmus_result *r, const char *line, size_t len)
{
	char *end;
	uint64_t count;

	if (*line < '0' || *line > '9')
		return false;
	count = strtoull(line, &end, 10);
	while (end < line + len && *end == ' ')
		end++;
	if (end + 2 > line + len || (*end != ':' && *end != '*') ||
	    end[1] != '>')
		return false;
	add_state(r, end + 2, line + len - end - 2, count, *end == '*');
	return true;
}

/* Returns the second word; the caller frees. */
static char *second_word(const char *line)
{
	const char *at = strchr(line, ' ') + 1;

	return xstrndup(at, strcspn(at, " \n"));
}

static int parse_observation(struct litmus_result *r, const char *line)
{
	uint64_t positive, negative;

	if (sscanf(line, "Observation %*s %*s %" SCNu64 " %" SCNu64, &positive,
		   &negative) != 2)
		return fail(EINVAL, "no numbers in: %.60s", line);
	if (positive != r->positive || negative != r->negative)
		return fail(EINVAL, "%s: histogram and Observation do not agree: %" PRIu64 " and %" PRIu64 " are positive",
			    r->test, r->positive, positive);
	return 0;
}

static int parse_line(const char *line, size_t len,
		      struct litmus_result **results, size_t *nr)
{
	struct litmus_result *r = *nr ? &(*results)[*nr - 1] : NULL;
	char *name;
	int ret = 0;

	if (!strncmp(line, "Test ", 5)) {
		*results = grow(*results, *nr, sizeof(**results));
		(*results)[(*nr)++] = (struct litmus_result){
			.test = second_word(line), .seconds = NAN,
		};
		return 0;
	}
	if (!r)
		return 0;
	if (!strncmp(line, "Observation ", 12)) {
		ret = parse_observation(r, line);
	} else if (!strncmp(line, "Time ", 5)) {
		name = second_word(line);
		if (!strcmp(name, r->test))
			sscanf(line, "Time %*s %lf", &r->seconds);
		free(name);
	} else {
		parse_state(r, line, len);
	}
	return ret;
}

int litmus_parse(const char *text, struct litmus_result **results)
{
	size_t nr = 0;
	int ret = 0;

	*results = NULL;
	while (*text && !ret) {
		size_t len = strcspn(text, "\n");

		ret = parse_line(text, len, results, &nr);
		text += len + (text[len] == '\n');
	}
	if (!ret && !nr)
		ret = fail(EINVAL, "no litmus test in it");
	if (!ret)
		return nr;
	litmus_results_free(*results, nr);
	*results = NULL;
	return ret;
}
