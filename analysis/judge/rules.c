// SPDX-License-Identifier: GPL-2.0
/* See rules.h. */
#include "analysis/judge/rules.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/judge/compare.h"
#include "lib/util.h"

#define MAX_CONDITIONS	2
#define MAX_RULES	4

/*
 * How a metric moves. RISES, CHANGES, APPEARS and GONE need a difference by the
 * verdict of the row, so that no finding contradicts the table.
 */
enum move {
	RISES,
	CHANGES,
	APPEARS,	/* 0 on base, more on new */
	GONE,		/* the other way round */
	ON_NEW,		/* seen on new, even once, and never on base */
	ON_BOTH,	/* seen on new, and on base as well */
	STAYS,		/* more than 0 on both, with every seed, and the same */
	NOT_COUNTED,	/* not a metric of this point on both sides */
};

struct rule {
	enum severity severity;
	struct {
		const char *metric;	/* a glob; any that matches will do */
		enum move move;
	} all[MAX_CONDITIONS];		/* all must hold */
	const char *means;
};

/* Only the first matching rule of a finding applies to a point. */
static const struct finding_kind {
	const char *name;
	const char *help;
	struct rule rules[MAX_RULES];
} kinds[] = {
	/*
	 * A refault is a stage-2 fault on a page that KVM had zapped, so one
	 * condition is enough; the zap itself may belong to another point
	 * (measure=op), or to the preparation of this one (measure=guest).
	 */
	{ "unnecessary-kvm-zap",
	  "KVM zapped a page that came back with the same frame, though no permission was taken away", {
		{ SEVERITY_WARNING, { { "kvm_unnecessary.*", RISES } },
		  "KVM now zaps pages that lost no permission, then maps the same frames" },
		{ SEVERITY_INFO, { { "kvm_unnecessary.*", STAYS } },
		  "on both sides, so this change does not cause it: for this event KVM zaps pages that come back with the same frame, though the host took no permission away" },
		/* If only the frames are known. */
		{ SEVERITY_WARNING, { { "kvm_unnecessary", NOT_COUNTED },
				      { "kvm_refaults_same_pfn", RISES } },
		  "KVM zaps what it did not zap on base, and it comes back with the same frame" },
		{ SEVERITY_INFO, { { "kvm_unnecessary", NOT_COUNTED },
				   { "kvm_refaults_same_pfn", STAYS } },
		  "on both sides, so this change does not cause it: pages that KVM zapped come back with the same frame. Unnecessary unless the operation took a permission away" } } },
	{ "stale-secondary-tlb",
	  "a permission changed and secondary TLBs (IOMMU, GPU, KVM) were not invalidated", {
		{ SEVERITY_ERROR, { { "shadow_stale", ON_NEW } },
		  "a secondary TLB keeps entries that the page table no longer has" },
		{ SEVERITY_WARNING, { { "notifier_secondary", GONE } },
		  "secondary TLBs are no longer invalidated; if the operation changes a permission, they keep the old entry",
		},
		{ SEVERITY_INFO, { { "shadow_stale", ON_BOTH } },
		  "on both sides, so this change does not cause it: a secondary TLB keeps entries that the page table no longer has",
		} } },
	{ "lockless-retry",
	  "lockless reads of a contpte block start again, or no longer do", {
		{ SEVERITY_WARNING, { { "lockless_retries", APPEARS } },
		  "lockless reads start again, which they did not on base" },
		{ SEVERITY_INFO, { { "lockless_retries", GONE } },
		  "lockless reads no longer start again; make sure that fallbacks did not rise instead" },
		{ SEVERITY_WARNING, { { "lockless_retries", RISES } },
		  "lockless reads start again more often" } } },
	{ "gup-slow-fallback",
	  "GUP-fast leaves more pages to the slow path, which takes mmap_lock", {
		{ SEVERITY_WARNING, { { "gup_slow_pages", RISES } },
		  "GUP-fast leaves more pages to the slow path" } } },
	{ "contpte-unfolded",
	  "more contpte blocks are taken apart into single entries", {
		{ SEVERITY_WARNING, { { "contpte_unfolds", RISES } },
		  "more contpte blocks are taken apart" } } },
	{ "stage2-memtype",
	  "stage 2 maps a guest's pages with another memory type", {
		{ SEVERITY_WARNING, { { "s2_maps.nc", CHANGES } },
		  "stage 2 maps pages with another memory type" },
		{ SEVERITY_WARNING, { { "s2_maps.device", CHANGES } },
		  "stage 2 maps pages with another memory type" } } },
	{ "forbidden-outcome",
	  "a litmus test ended in a way that a memory model in force forbids", {
		{ SEVERITY_ERROR, { { "forbidden_outcomes", ON_NEW } },
		  "a litmus test ended in an outcome that the memory model forbids" },
		{ SEVERITY_INFO, { { "forbidden_outcomes", ON_BOTH } },
		  "on both sides, so not this change's doing: a litmus test ended in an outcome that the memory model forbids",
		} } },
	{ EXACT_DIFFERENCE,
	  "an exact count differs between the kernels",
	  /* by find_exact_differences() */ { { 0 } } },
};

const char *finding_name(size_t nr, const char **help)
{
	if (nr >= ARRAY_SIZE(kinds))
		return NULL;
	*help = kinds[nr].help;
	return kinds[nr].name;
}

const char *severity_name(enum severity s)
{
	static const char *const names[] = { "info", "warning", "error" };

	return names[s];
}

static bool moves(const struct result *r, enum move move)
{
	switch (move) {
	case RISES:
		return is_difference(r) && r->delta > 0;
	case CHANGES:
		return is_difference(r);
	case APPEARS:
		return is_difference(r) && r->delta > 0 && !r->base.max;
	case GONE:
		return is_difference(r) && r->delta < 0 && !r->new.max;
	case ON_NEW:
		return r->new.max > 0 && !r->base.max;
	case ON_BOTH:
		return r->new.max > 0 && r->base.max > 0;
	case STAYS:
		return r->base.min > 0 && r->new.min > 0 &&
		       r->new.min <= r->base.max && r->base.min <= r->new.max;
	case NOT_COUNTED:
		break;	/* there are no results to look at */
	}
	return false;
}

static json_t *evidence_of(const struct result *r)
{
	return json_pack("{s:O, s:s, s:s, s:o, s:o, s:o, s:o}",
			 "params", r->point->params, "mode", r->point->mode,
			 "metric", r->metric, "base", sample_json(&r->base),
			 "new", sample_json(&r->new),
			 "delta", number_json(r->delta),
			 "ratio", number_json(r->ratio));
}

/* Returns "metric 0 -> 1"; the caller frees. */
static char *movement(const struct result *r)
{
	double v[] = { r->base.median, r->new.median };
	int d = decimals_for(v, 2, r->delta, r->tier);
	char base[NUMBER_SIZE], new[NUMBER_SIZE];

	return xasprintf("%s %s -> %s", r->metric,
			 format_number(v[0], d, base),
			 format_number(v[1], d, new));
}

/*
 * Returns the commands that measure and compare both kernels; the caller frees.
 */
static char *reproduce(const struct result *r)
{
	char *params = params_text(r->point->params, ":"), *command;
	char *which = xasprintf("%s%s%s", r->point->bench, *params ? ":" : "",
				params);
	char *quoted = shell_quote(which);

	command = xasprintf("on each kernel: ptelab run -b %s -o DIR; then: ptelab compare BASE NEW -b %s",
			    quoted, quoted);
	free(quoted);
	free(which);
	free(params);
	return command;
}

static struct finding *add_finding(struct comparison *c, const char *rule,
				   enum severity severity,
				   const struct result *r)
{
	struct finding *f;

	c->findings = grow(c->findings, c->nr_findings, sizeof(*c->findings));
	f = &c->findings[c->nr_findings++];
	*f = (struct finding){
		.rule = rule, .severity = severity, .bench = r->point->bench,
		.point = r->point, .evidence = json_array(),
		.reproduce = reproduce(r),
	};
	return f;
}

static bool counted(const struct result *r, size_t nr, const char *metric)
{
	while (nr--)
		if (!fnmatch(metric, r[nr].metric, 0))
			return true;
	return false;
}

/* Appends the results that fulfil a condition. Returns false if none does. */
static bool fulfils(const struct result *r, size_t nr, const char *metric,
		    enum move move, json_t *evidence, char **text)
{
	bool any = false;
	size_t i;

	if (move == NOT_COUNTED)
		return !counted(r, nr, metric);
	for (i = 0; i < nr; i++) {
		char *one, *both;

		if (fnmatch(metric, r[i].metric, 0) || !moves(&r[i], move))
			continue;
		any = true;
		json_array_append_new(evidence, evidence_of(&r[i]));
		one = movement(&r[i]);
		both = xasprintf("%s%s%s", *text, **text ? ", " : "", one);
		free(one);
		free(*text);
		*text = both;
	}
	return any;
}

static bool apply(struct comparison *c, const char *name,
		  const struct rule *rule, const struct result *r, size_t nr)
{
	json_t *evidence = json_array();
	char *text = xstrdup("");
	bool fires = true;
	struct finding *f;
	size_t i;

	for (i = 0; i < MAX_CONDITIONS && fires && rule->all[i].metric; i++)
		fires = fulfils(r, nr, rule->all[i].metric, rule->all[i].move,
				evidence, &text);
	if (fires) {
		f = add_finding(c, name, rule->severity, r);
		json_array_extend(f->evidence, evidence);
		f->text = xasprintf("%s: %s", text, rule->means);
	}
	json_decref(evidence);
	free(text);
	return fires;
}

static void apply_first(struct comparison *c, const struct finding_kind *kind,
			const struct result *r, size_t nr)
{
	const struct rule *rule = kind->rules;

	while (rule < kind->rules + MAX_RULES && rule->means &&
	       !apply(c, kind->name, rule, r, nr))
		rule++;
}

void find_by_rules(struct comparison *c)
{
	size_t start, end, i;

	for (start = 0; start < c->nr_results; start = end) {
		for (end = start; end < c->nr_results; end++)
			if (c->results[end].point != c->results[start].point)
				break;
		for (i = 0; i < ARRAY_SIZE(kinds); i++)
			apply_first(c, &kinds[i], c->results + start,
				    end - start);
	}
}

/*
 * Returns the number of the finding that a result belongs to. The first result
 * of a group is its largest.
 */
static size_t group_of(struct comparison *c, json_t *index,
		       const struct result *r)
{
	char *key = xasprintf("%s %s %s", r->point->mode, r->point->bench,
			      r->metric);
	json_t *at = json_object_get(index, key);
	size_t nr = at ? (size_t)json_integer_value(at) : c->nr_findings;

	if (!at) {
		json_object_set_new_nocheck(index, key, json_integer(nr));
		add_finding(c, EXACT_DIFFERENCE, SEVERITY_INFO, r);
	}
	free(key);
	return nr;
}

/* Writes the text of a complete group: how many points, and the largest. */
static void describe_group(struct finding *f, const struct result *largest)
{
	size_t nr = json_array_size(f->evidence);
	char *what = movement(largest), change[NUMBER_SIZE], *many = NULL;
	char *params = params_text(largest->point->params, " ");

	if (nr > 1)
		many = xasprintf(" (the largest of %zu points)", nr);
	f->text = xasprintf("%s, %s%s%s%s", what,
			    format_change(largest->ratio, largest->delta,
					  largest->tier, change),
			    *params ? ", at " : "", params, many ? many : "");
	free(many);
	free(params);
	free(what);
}

void find_exact_differences(struct comparison *c)
{
	const struct result **largest = xcalloc(c->nr_results,
						sizeof(*largest));
	size_t first = c->nr_findings, i, nr;
	json_t *index = json_object();

	for (i = 0; i < c->nr_results; i++) {
		const struct result *r = &c->results[i];

		if (r->tier != TIER_EXACT || !is_difference(r))
			continue;
		nr = group_of(c, index, r);
		if (!largest[nr - first])
			largest[nr - first] = r;
		json_array_append_new(c->findings[nr].evidence,
				      evidence_of(r));
		if (r->verdict == VERDICT_REGRESSION)
			c->findings[nr].severity = SEVERITY_WARNING;
	}
	for (nr = first; nr < c->nr_findings; nr++)
		describe_group(&c->findings[nr], largest[nr - first]);
	json_decref(index);
	free(largest);
}

void findings_free(struct comparison *c)
{
	size_t i;

	for (i = 0; i < c->nr_findings; i++) {
		json_decref(c->findings[i].evidence);
		free(c->findings[i].text);
		free(c->findings[i].reproduce);
	}
	free(c->findings);
}
