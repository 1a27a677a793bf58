// SPDX-License-Identifier: GPL-2.0
/* Prints an explanation as text, for mail, and as JSON. */
#include <capstone/capstone.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/code/explain.h"
#include "analysis/draw/format.h"
#include "analysis/draw/table.h"
#include "lib/insn_metrics.h"
#include "lib/util.h"

#define EXPLAIN_SCHEMA	"ptelab-explain-1"

static double delta_of(const struct explained_function *f)
{
	return f->self[NEW] - f->self[BASE];
}

static bool changed(const struct explained_function *f)
{
	return fabs(delta_of(f)) > 1e-9;
}

/* Returns the decimals that the fractions in the table need. */
static int decimals(const struct explanation *e)
{
	size_t i;

	for (i = 0; i < e->nr; i++)
		if (e->functions[i].self[BASE] != floor(e->functions[i].self[BASE]) ||
		    e->functions[i].self[NEW] != floor(e->functions[i].self[NEW]))
			return 2;
	return 0;
}

static void number_cells(struct table *t, const double *v, int d)
{
	char a[NUMBER_SIZE], b[NUMBER_SIZE], c[NUMBER_SIZE];

	table_cell(t, "%s", format_number(v[BASE], d, a));
	table_cell(t, "%s", format_number(v[NEW], d, b));
	table_cell(t, "%s", format_delta(v[NEW] - v[BASE], d, c));
}

static const char *calls_text(const struct explained_function *f, char *buf,
			      size_t size)
{
	if (f->calls[BASE] == f->calls[NEW])
		snprintf(buf, size, "%.4g", f->calls[NEW]);
	else
		snprintf(buf, size, "%.4g > %.4g", f->calls[BASE],
			 f->calls[NEW]);
	return buf;
}

static const char *interval_text(const struct explained_function *f, char *buf,
				 size_t size)
{
	char a[NUMBER_SIZE], b[NUMBER_SIZE];
	double low, high;

	explained_interval(f, &low, &high);
	snprintf(buf, size, "%s..%s", format_delta(low, 1, a),
		 format_delta(high, 1, b));
	return buf;
}

static void sum_row(struct table *t, const char *what, size_t from, size_t to,
		    const struct explanation *e, int d)
{
	double sum[NR_SIDES] = { 0 };
	size_t i;

	if (from >= to)
		return;
	for (i = from; i < to; i++) {
		sum[BASE] += e->functions[i].self[BASE];
		sum[NEW] += e->functions[i].self[NEW];
	}
	table_row(t);
	table_cell(t, what, to - from);
	number_cells(t, sum, d);
}

static void print_functions(const struct explanation *e, size_t rows, FILE *f)
{
	struct table *t = table_new();
	size_t differ = 0, i;
	int d = decimals(e);
	char calls[64];

	while (differ < e->nr && changed(&e->functions[differ]))
		differ++;
	if (rows > differ)
		rows = differ;
	table_column(t, "function", false);
	table_column(t, "base", true);
	table_column(t, "new", true);
	table_column(t, "delta", true);
	table_column(t, e->event ? "95 % interval" : "calls", true);
	for (i = 0; i < rows; i++) {
		const struct explained_function *n = &e->functions[i];

		table_row(t);
		table_cell(t, "%s%s", n->name,
			   strcmp(n->space, "user") ? "" : " (user)");
		number_cells(t, n->self, d);
		table_cell(t, "%s", e->event ?
			   interval_text(n, calls, sizeof(calls)) :
			   calls_text(n, calls, sizeof(calls)));
	}
	sum_row(t, "%zu more that differ", rows, differ, e, d);
	sum_row(t, "%zu that do not", differ, e->nr, e, d);
	sum_row(t, "all %zu", 0, e->nr, e, d);
	table_print_mail(t, f, 1, MAIL_WIDTH);
	table_free(t);
}

/* --- instructions --- */

/* Returns an instruction without the bits that encode where code or data is. */
static uint32_t shape(uint32_t w)
{
	static const struct {
		uint32_t mask, value, keep;
	} m[] = {
		{ 0x7c000000, 0x14000000, 0xfc000000 },	/* B, BL */
		{ 0xff000010, 0x54000000, 0xff00001f },	/* B.cond */
		{ 0x7e000000, 0x34000000, 0xff00001f },	/* CBZ */
		{ 0x7e000000, 0x36000000, 0xfff8001f },	/* TBZ */
		{ 0x1f000000, 0x10000000, 0x9f00001f },	/* ADR, ADRP */
		{ 0xff800000, 0x91000000, 0xff8003ff },	/* ADD imm */
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(m); i++)
		if ((w & m[i].mask) == m[i].value)
			return w & m[i].keep;
	return w;
}

struct listing {
	size_t *at[NR_SIDES];	/* indices of executed instructions */
	size_t nr[NR_SIDES];
};

static void executed(const struct explained_function *f, int s,
		     struct listing *l)
{
	size_t i;

	l->nr[s] = 0;
	l->at[s] = xcalloc(f->code[s] ? f->code[s]->nr + 1 : 1,
			   sizeof(size_t));
	for (i = 0; f->code[s] && i < f->code[s]->nr; i++)
		if (f->count[s][i])
			l->at[s][l->nr[s]++] = i;
}

/*
 * Returns the length of the longest common subsequence from each pair on; NULL
 * if it would take too long. The caller frees.
 */
static uint16_t *common(const struct explained_function *f,
			const struct listing *l)
{
	size_t n = l->nr[BASE], m = l->nr[NEW], i, k;
	uint16_t *len;

	if (!n || !m || n * m > 25000000)
		return NULL;
	len = xcalloc((n + 1) * (m + 1), sizeof(*len));
	for (i = n; i-- > 0;) {
		for (k = m; k-- > 0;) {
			uint16_t *at = &len[i * (m + 1) + k];

			if (shape(f->code[BASE]->word[l->at[BASE][i]]) ==
			    shape(f->code[NEW]->word[l->at[NEW][k]]))
				*at = at[m + 2] + 1;
			else
				*at = at[m + 1] > at[1] ? at[m + 1] : at[1];
		}
	}
	return len;
}

static const char *function_at(const struct explanation *e, int side,
			       uint64_t address)
{
	size_t i;

	for (i = 0; i < e->nr; i++)
		if (e->functions[i].code[side] &&
		    e->functions[i].code[side]->start == address)
			return e->functions[i].name;
	return NULL;
}

/*
 * Returns the text of an instruction, "bl kvm_unmap_gfn_range"; the caller
 * frees.
 */
static char *disassemble(const struct explanation *e, csh cs, int side,
			 const struct insn_function *n, size_t at)
{
	uint64_t pc = n->start + 4 * at, target;
	const char *hash, *name;
	cs_insn *insn;
	char *text;

	if (!cs_disasm(cs, (const uint8_t *)&n->word[at], 4, pc, 1, &insn))
		return xasprintf(".inst %#x", n->word[at]);
	hash = strrchr(insn->op_str, '#');
	target = hash ? strtoull(hash + 1, NULL, 16) : 0;
	if ((shape(n->word[at]) != n->word[at] || n->word[at] >> 26 == 0x25) &&
	    hash && n->word[at] >> 24 != 0x91 &&
	    (n->word[at] & 0x1f000000) != 0x10000000) {
		name = function_at(e, side, target);
		if (target >= n->start && target < n->start + 4 * n->nr)
			text = xasprintf("%s %.*s+%#" PRIx64, insn->mnemonic,
					 (int)(hash - insn->op_str),
					 insn->op_str, target - n->start);
		else if (name)
			text = xasprintf("%s %.*s%s", insn->mnemonic,
					 (int)(hash - insn->op_str),
					 insn->op_str, name);
		else
			text = xasprintf("%s %s", insn->mnemonic, insn->op_str);
	} else {
		text = xasprintf("%s %s", insn->mnemonic, insn->op_str);
	}
	cs_free(insn, 1);
	return text;
}

/* Prints an instruction that one side has, or both. */
static void print_insn(const struct explanation *e,
		       const struct explained_function *f, csh cs,
		       const ssize_t *at, FILE *out)
{
	int side = at[NEW] >= 0 ? NEW : BASE, s;
	double per_op[NR_SIDES];
	char *text;

	for (s = 0; s < NR_SIDES; s++)
		per_op[s] = at[s] < 0 ? 0 : (double)f->count[s][at[s]] /
			e->operations[s];
	text = disassemble(e, cs, side, f->code[side], at[side]);
	fprintf(out, "  %c +%#-6zx %9.4g %9.4g  %.*s\n",
		at[BASE] < 0 ? '+' : at[NEW] < 0 ? '-' : ' ',
		4 * (size_t)at[side], per_op[BASE], per_op[NEW],
		MAIL_WIDTH - 34, text);
	free(text);
}

/*
 * Prints the instructions that ran a different number of times. Corresponding
 * instructions of the two kernels share a line.
 */
static void print_listing(const struct explanation *e,
			  const struct explained_function *f, csh cs, FILE *out)
{
	struct listing l;
	uint16_t *len;
	size_t i = 0, k = 0, m, skipped = 0;

	executed(f, BASE, &l);
	executed(f, NEW, &l);
	len = common(f, &l);
	m = l.nr[NEW];
	fprintf(out, "\n%s: offset, times an operation on base and new\n",
		f->name);
	while (i < l.nr[BASE] || k < m) {
		bool same = i < l.nr[BASE] && k < m && len &&
			shape(f->code[BASE]->word[l.at[BASE][i]]) ==
			shape(f->code[NEW]->word[l.at[NEW][k]]);
		bool base = same || k == m || (i < l.nr[BASE] &&
			(!len || len[(i + 1) * (m + 1) + k] >=
				 len[i * (m + 1) + k + 1]));
		ssize_t at[NR_SIDES] = {
			base ? (ssize_t)l.at[BASE][i] : -1,
			same || !base ? (ssize_t)l.at[NEW][k] : -1 };

		i += base;
		k += same || !base;
		if (same && (double)f->count[BASE][at[BASE]] /
			    e->operations[BASE] ==
			    (double)f->count[NEW][at[NEW]] /
			    e->operations[NEW]) {
			skipped++;
			continue;
		}
		if (skipped)
			fprintf(out, "    (%zu as before)\n", skipped);
		skipped = 0;
		print_insn(e, f, cs, at, out);
	}
	if (skipped)
		fprintf(out, "    (%zu as before)\n", skipped);
	free(len);
	free(l.at[BASE]);
	free(l.at[NEW]);
}

/* --- all of it --- */

static void print_sampling(const struct explanation *e, FILE *f)
{
	int s;

	print_line(f, 1, 3, "by samples of %s: %" PRIu64 " on base, %" PRIu64 " on new; the interval is of sampling alone: that between boots is ptelab compare's. Of so many functions one in twenty is beyond its interval by luck",
		   e->event, e->samples[BASE], e->samples[NEW]);
	for (s = 0; s < NR_SIDES; s++)
		if (e->lost[s])
			print_line(f, 1, 3, "%s: %" PRIu64 " samples were lost",
				   s ? "new" : "base", e->lost[s]);
}

static void print_accounts(const struct explanation *e, FILE *f)
{
	char a[NUMBER_SIZE], b[NUMBER_SIZE], c[NUMBER_SIZE];
	double sum = 0, share = explained_share(e);
	size_t i;

	for (i = 0; i < e->nr; i++)
		sum += delta_of(&e->functions[i]);
	print_line(f, 1, 3, "accounted for: %s %% of %s, the difference of what was measured; the functions' add up to %s",
		   isnan(share) ? "-" : format_number(100 * share,
			fabs(share - 1) < 1e-9 ? 0 : 4, c),
		   format_delta(explained_delta(e), 2, a),
		   format_delta(sum, 2, b));
	for (i = 0; i < NR_SIDES; i++)
		if (e->unmatched[i])
			print_line(f, 1, 3, "%s: %" PRIu64 " returns without a known call, as in another task; the callers of the code after them are unknown",
				   i ? "new" : "base", e->unmatched[i]);
}

static double counter(const json_t *record, const char *metric)
{
	const json_t *c = json_object_get(json_object_get(record, "counters"),
					  metric);

	return c ? json_number_value(json_object_get(c, "per_op")) : NAN;
}

/* With two decimals, or more for small numbers. */
static const char *format_short(double v, char buf[NUMBER_SIZE])
{
	int d = v == floor(v) ? 0 : 2;

	for (; d && d < 6 && v < 10 / pow(10, d); d++)
		;
	return format_number(v, d, buf);
}

/* Prints the counters that differ, "loads 300.02 -> 410". */
static void print_kinds(const struct explanation *e, FILE *f)
{
	json_t *names = json_object(), *value;
	char a[NUMBER_SIZE], b[NUMBER_SIZE], *text = xstrdup(""), *longer;
	const char *name;
	size_t same = 0;

	counts_absent(names, true);
	json_object_foreach(names, name, value) {
		double base = counter(e->record[BASE], name);
		double new = counter(e->record[NEW], name);

		(void)value;
		if (isnan(base) || isnan(new))
			continue;
		if (fabs(new - base) < 1e-9) {
			same++;
			continue;
		}
		longer = xasprintf("%s%s%s %s -> %s", text, *text ? ", " : "",
				   name, format_short(base, a),
				   format_short(new, b));
		free(text);
		text = longer;
	}
	if (*text)
		print_line(f, 1, 3, "what they were: %s; %zu other kinds as before",
			   text, same);
	free(text);
	json_decref(names);
}

void explain_text(const struct explanation *e, size_t rows, size_t listings,
		  FILE *f)
{
	char a[NUMBER_SIZE], b[NUMBER_SIZE], c[NUMBER_SIZE];
	char *params = params_text(e->point->params, " ");
	size_t i;
	csh cs;

	print_line(f, 0, 2, "%s%s%s", e->point->bench, *params ? " " : "",
		   params);
	free(params);
	if (e->event) {
		print_line(f, 1, 3, "%s per operation, sampled, %zu and %zu boots: %s -> %s, %s",
			   e->metric, e->boots[BASE], e->boots[NEW],
			   format_value(e->figure[BASE], TIER_TIMED, a),
			   format_value(e->figure[NEW], TIER_TIMED, b),
			   format_delta(explained_delta(e), 1, c));
		print_functions(e, rows, f);
		print_sampling(e, f);
		return;
	}
	print_line(f, 1, 3, "%s per operation, exact, boots of seed %lld: %s -> %s, %s",
		   e->metric, (long long)e->seed,
		   format_value(e->figure[BASE], TIER_EXACT, a),
		   format_value(e->figure[NEW], TIER_EXACT, b),
		   format_delta(explained_delta(e), 2, c));
	print_functions(e, rows, f);
	print_accounts(e, f);
	print_kinds(e, f);
	if (!listings || cs_open(CS_ARCH_ARM64, CS_MODE_ARM, &cs) != CS_ERR_OK)
		return;
	for (i = 0; i < listings && i < e->nr && changed(&e->functions[i]); i++)
		print_listing(e, &e->functions[i], cs, f);
	cs_close(&cs);
}

/* --- for programs --- */

static json_t *insns_json(const struct explanation *e,
			  const struct explained_function *f, int s, csh cs)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; f->code[s] && i < f->code[s]->nr; i++) {
		char *text, word[12];

		if (!f->count[s][i])
			continue;
		text = disassemble(e, cs, s, f->code[s], i);
		snprintf(word, sizeof(word), "%08x", f->code[s]->word[i]);
		json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:o}",
				"offset", (json_int_t)(4 * i), "word", word,
				"text", text, "per_op", number_json(
				(double)f->count[s][i] / e->operations[s])));
		free(text);
	}
	return list;
}

static json_t *function_json(const struct explanation *e,
			     const struct explained_function *f, csh cs)
{
	static const char *const side[] = { "base", "new" };
	json_t *o = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}",
			      "name", f->name, "space", f->space,
			      "base", number_json(f->self[BASE]),
			      "new", number_json(f->self[NEW]),
			      "delta", number_json(delta_of(f)),
			      "calls_base", number_json(f->calls[BASE]),
			      "calls_new", number_json(f->calls[NEW]));
	json_t *insns = json_object();
	char start[24];
	int s;

	if (e->event) {
		double low, high;

		explained_interval(f, &low, &high);
		json_object_set_new(o, "low", number_json(low));
		json_object_set_new(o, "high", number_json(high));
		json_object_del(o, "calls_base");
		json_object_del(o, "calls_new");
	}
	for (s = 0; s < NR_SIDES && changed(f); s++) {
		if (!f->code[s])
			continue;
		snprintf(start, sizeof(start), "%#" PRIx64, f->code[s]->start);
		json_object_set_new(insns, side[s], json_pack("{s:s, s:o}",
				"start", start, "executed",
				insns_json(e, f, s, cs)));
	}
	if (json_object_size(insns))
		json_object_set(o, "instructions", insns);
	json_decref(insns);
	return o;
}

json_t *explain_json(const struct explanation *e)
{
	double share = explained_share(e);
	json_t *o = json_pack("{s:s, s:s, s:O, s:s, s:I, s:o, s:o, s:o, s:o, s:[I, I], s:[I, I]}",
			"schema", EXPLAIN_SCHEMA, "bench", e->point->bench,
			"params", e->point->params, "metric", e->metric,
			"seed", e->seed, "base", number_json(e->figure[BASE]),
			"new", number_json(e->figure[NEW]),
			"delta", number_json(explained_delta(e)),
			"accounted_for", number_json(share),
			"operations", (json_int_t)e->operations[BASE],
			(json_int_t)e->operations[NEW],
			"unmatched_returns", (json_int_t)e->unmatched[BASE],
			(json_int_t)e->unmatched[NEW]);
	json_t *list = json_array();
	size_t i;
	csh cs;

	if (cs_open(CS_ARCH_ARM64, CS_MODE_ARM, &cs) == CS_ERR_OK) {
		for (i = 0; i < e->nr; i++)
			json_array_append_new(list, function_json(e,
						&e->functions[i], cs));
		cs_close(&cs);
	}
	if (e->event) {
		/*
		 * samples are shares of the figure, so they always account for
		 * all of it
		 */
		json_object_del(o, "accounted_for");
		json_object_del(o, "seed");
		json_object_del(o, "operations");
		json_object_del(o, "unmatched_returns");
		json_object_set_new(o, "event", json_string(e->event));
		json_object_set_new(o, "samples", json_pack("[I, I]",
				(json_int_t)e->samples[BASE],
				(json_int_t)e->samples[NEW]));
	}
	json_object_set_new(o, "functions", list);
	return o;
}
