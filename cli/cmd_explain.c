// SPDX-License-Identifier: GPL-2.0
/* ptelab explain: shows which functions and instructions account for a difference. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/code/explain.h"
#include "analysis/code/perf_data.h"
#include "analysis/judge/exercised.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/util.h"

enum {
	OPT_JSON = 256, OPT_SEED, OPT_TOP, OPT_ROWS, OPT_INSNS, OPT_CAUSES,
	OPT_PERF, OPT_ELF,
};

/* Points that --causes explains to find another cause. */
#define MAX_TRIES	12

static const struct argp_option options[] = {
	{ "metric", 'm', "NAME", 0,
	  "explain this metric: instructions (the default, if they were counted), instructions_kernel, loads, stores, tlbi, ...; or the one that was sampled",
	  0 },
	{ "top", OPT_TOP, "N", 0,
	  "explain the N points that differ most, 0 for all; default 1", 0 },
	{ "causes", OPT_CAUSES, NULL, 0,
	  "leave out a point in which the same functions differ as in one before it",
	  0 },
	{ "rows", OPT_ROWS, "N", 0, "print N functions per point; default 20", 0 },
	{ "instructions", OPT_INSNS, "N", 0,
	  "print the instructions of the N functions that differ most; default 0",
	  0 },
	{ "seed", OPT_SEED, "N", 0,
	  "explain the boots of this seed; default the first that both sides have",
	  0 },
	{ "output", 'o', "FILE.svg", 0,
	  "also draw a flame graph of each point: FILE.svg, FILE-2.svg and so on", 0 },
	{ "perf-data", OPT_PERF, "DIR", 0,
	  "also write DIR/base.data and DIR/new.data, which perf reads: every instruction with the times that it ran",
	  0 },
	{ "elf", OPT_ELF, "FILE", 0,
	  "with --perf-data: a vmlinux, module or program that ran; may be repeated. Those of make ab are found automatically",
	  0 },
	{ "format", 'f', "FORM", 0, NULL, 0 },
	{ "json", OPT_JSON, NULL, 0, "same as --format json", 0 },
	{ 0 }
};

static const char doc[] =
	"Shows which functions account for the difference between two kernels, "
	"per operation, down to the instruction.\v"
	"BASE and NEW are folders of boot files, or single boot files. If the "
	"emulator counted their instructions (make ab, scripts/lab/boot "
	"--count), the result is exact. If they were sampled (ptelab run "
	"--sample, on any host), it is an estimate per function with its "
	"sampling error.\n"
	"\n"
	"Examples:\n"
	"  ptelab explain runs/x/base runs/x/patched\n"
	"  ptelab explain base patched -b notifier.upgrade:folio=4k -m tlbi\n"
	"  ptelab explain base patched --instructions 3 -o where.svg\n"
	"  ptelab explain runs/x --perf-data /tmp/perf\n"
	"\n"
	"Exit status: 0 success; 2 failure: no such point, or instructions were "
	"neither counted nor sampled.";

static struct {
	struct selection select;
	struct text_list runs, allow, elf;
	const char *metric, *svg, *perf;
	char *command;		/* as it was typed, for perf */
	struct perf_images *images;	/* with --perf-data */
	json_t *manifest;	/* of make ab; NULL */
	json_int_t seed;
	uint64_t top, rows, insns;
	bool json, causes;
} env;

static const struct choice forms[] = { { "text", NULL }, { "json", NULL } };
static const struct choices form_choices = CHOICES(forms);

static char *option_help(int key, const char *text,
			 void *input __attribute__((unused)))
{
	return key == 'f' ? choices_help(&form_choices) : (char *)text;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &env.select;
		break;
	case 'm':
		env.metric = arg;
		break;
	case OPT_TOP:
		env.top = number_arg("--top", arg, 0, INT32_MAX, state);
		break;
	case OPT_CAUSES:
		env.causes = true;
		break;
	case OPT_ROWS:
		env.rows = number_arg("--rows", arg, 0, INT32_MAX, state);
		break;
	case OPT_INSNS:
		env.insns = number_arg("--instructions", arg, 0, INT32_MAX, state);
		break;
	case OPT_SEED:
		env.seed = number_arg("--seed", arg, 0, INT32_MAX, state);
		break;
	case 'o':
		env.svg = arg;
		break;
	case OPT_PERF:
		env.perf = arg;
		break;
	case OPT_ELF:
		text_add(&env.elf, arg);
		break;
	case 'f':
		env.json = choice_arg("--format", &form_choices, arg, state) ==
			   &forms[1];
		break;
	case OPT_JSON:
		env.json = true;
		break;
	case ARGP_KEY_ARG:
		add_runs_of(&env.runs, arg);
		break;
	case ARGP_KEY_END:
		if (env.runs.nr != 2)
			two_runs_needed(state);
		if (env.elf.nr && !env.perf)
			args_error(state, "--elf goes with --perf-data");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* "where-2.svg" of where.svg; the caller frees. */
static char *numbered(const char *name, size_t nr)
{
	const char *dot = strrchr(name, '.');

	if (!nr)
		return xstrdup(name);
	if (!dot || strchr(dot, '/'))
		dot = name + strlen(name);
	return xasprintf("%.*s-%zu%s", (int)(dot - name), name, nr + 1, dot);
}

static int write_svg(const struct explanation *e, size_t nr)
{
	char *name = numbered(env.svg, nr);
	FILE *f = fopen(name, "we");
	int ret = 0;

	if (f) {
		explain_svg(e, json_text(env.manifest, "title"), f);
		ret = close_file(f, name);
	} else {
		ret = fail(errno, "%s: %s", name, strerror(errno));
	}
	free(name);
	return ret;
}

/* How to look at it: perf diff of what the table has per operation. */
static void tell_perf(const struct explanation *e, char *const name[NR_SIDES])
{
	char *folder = shell_word(env.perf);
	bool same = e->operations[BASE] == e->operations[NEW];

	/* periods are of a whole batch: each side's by the other's operations */
	printf("\ncd %s\nperf --buildid-dir . diff -c wdiff:%" PRIu64 ",%" PRIu64 " %s %s\n",
	       folder, same ? 1 : e->operations[NEW],
	       same ? 1 : e->operations[BASE], name[BASE], name[NEW]);
	free(folder);
}

static int write_perf(const struct explanation *e, size_t nr)
{
	char *name[NR_SIDES] = { numbered("base.data", nr),
				 numbered("new.data", nr) };
	const char *unknown;
	int ret = 0, s;

	if (!e->region[BASE])
		ret = fail(EINVAL, "--perf-data: these runs were sampled, and perf data is made of instructions that were counted; boot with scripts/lab/boot --count");
	for (s = 0; s < NR_SIDES && !ret; s++) {
		struct perf_side side = {
			.file = e->file[s], .region = e->region[s],
			.other_file = e->file[!s], .other = e->region[!s],
			.header = e->header[s], .metric = e->metric,
			.command = env.command,
		};

		ret = perf_data_write(&side, env.images, env.perf, name[s],
				      &unknown);
		if (!ret && unknown)
			warn("perf will not know functions of %s in %s: give the file that ran with --elf",
			     unknown, name[s]);
	}
	if (!ret && !env.json)
		tell_perf(e, name);
	free(name[BASE]);
	free(name[NEW]);
	return ret;
}

static int find_images(struct side *const *side)
{
	size_t i;
	int ret = 0;

	env.images = perf_images_new();
	for (i = 0; i < env.elf.nr && !ret; i++)
		ret = perf_images_add(env.images, env.elf.v[i]);
	for (i = 0; i < NR_SIDES && !ret; i++)
		perf_images_find(env.images, side[i]);
	return ret;
}

/* The next explanation that is printed; NULL: none is left, or it failed. */
static struct explanation *next_of(struct explain_pair *pairs, size_t nr,
				   size_t *at, struct explanation *const *told,
				   size_t nr_told, struct insn_store *store,
				   int *ret)
{
	size_t k;

	while (*at < nr && !(env.causes && *at >= MAX_TRIES)) {
		struct explanation *e = explain(pairs[*at].base,
						pairs[*at].new, env.metric,
						env.seed, store);

		++*at;
		if (!e) {
			*ret = -EINVAL;
			return NULL;
		}
		for (k = 0; env.causes && k < nr_told; k++)
			if (explain_alike(told[k], e))
				break;
		if (!env.causes || k == nr_told)
			return e;
		explanation_free(e);
	}
	return NULL;
}

static int print_all(struct explain_pair *pairs, size_t nr, size_t most,
		     struct insn_store *store)
{
	struct explanation **told = xcalloc(most, sizeof(*told)), *e;
	size_t nr_told = 0, at = 0, i;
	json_t *all = json_array();
	int ret = 0;

	while (nr_told < most && !ret &&
	       (e = next_of(pairs, nr, &at, told, nr_told, store, &ret))) {
		if (env.json) {
			json_array_append_new(all, explain_json(e));
		} else {
			if (nr_told)
				putchar('\n');
			explain_text(e, env.rows, env.insns, stdout);
		}
		if (env.svg)
			ret = write_svg(e, nr_told);
		if (env.perf && !ret)
			ret = write_perf(e, nr_told);
		told[nr_told++] = e;
	}
	if (env.json && !ret) {
		json_dumpf(all, stdout, JSON_INDENT(1));
		putchar('\n');
	}
	for (i = 0; i < nr_told; i++)
		explanation_free(told[i]);
	free(told);
	json_decref(all);
	return ret;
}

static int explain_sides(struct side *const *side, size_t nr)
{
	struct insn_store *store;
	struct explain_pair *pairs;
	size_t nr_pairs;
	int ret;

	(void)nr;
	if (!env.metric)
		env.metric = explain_default_metric(side[0]);
	pairs = explain_pairs(side[0], side[1], env.metric, &nr_pairs);
	if (!nr_pairs) {
		free(pairs);
		fail(ENOENT, "no point has %s on both sides", env.metric);
		return EXIT_COULD_NOT;
	}
	/* points that were not selected by name are skipped if they are equal */
	while (!env.select.nr_benches && nr_pairs && !pairs[nr_pairs - 1].delta)
		nr_pairs--;
	if (!nr_pairs) {
		free(pairs);
		puts(env.json ? "[]" : "no point differs");
		return EXIT_DONE;
	}
	store = insn_store_new();
	env.manifest = ab_manifest(side[0], side[1]);
	ret = env.perf ? find_images(side) : 0;
	if (!ret)
		ret = print_all(pairs, nr_pairs, env.top && env.top < nr_pairs ?
				env.top : nr_pairs, store);
	if (env.images)
		perf_images_free(env.images);
	json_decref(env.manifest);
	insn_store_free(store);
	free(pairs);
	return ret ? EXIT_COULD_NOT : EXIT_DONE;
}

static const struct argp_child children[] = {
	{ &bench_argp, 0, NULL, 0 },
	{ 0 }
};

/* The command line; the caller frees. */
static char *command_text(int argc, char **argv)
{
	char *text = xstrdup("ptelab explain");
	int i;

	for (i = 1; i < argc; i++)
		append_text(&text, " ", "%s", argv[i]);
	return text;
}

int cmd_explain(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "BASE NEW", doc, children,
					  option_help, NULL };
	int ret;

	memset(&env, 0, sizeof(env));
	env.seed = -1;
	env.top = 1;
	env.rows = 20;
	env.command = command_text(argc, argv);
	if (args_parse(&argp, argc, argv, 0))
		return EXIT_COULD_NOT;
	ret = with_runs(&env.runs, &env.allow, &env.select, false,
			explain_sides);
	free(env.elf.v);
	free(env.command);
	return ret;
}
