// SPDX-License-Identifier: GPL-2.0
/*
 * ptelab run: measures the running kernel and writes a boot file.
 *
 * One file though it is long: a third of it is options and their help.
 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "analysis/report/show.h"
#include "bench/harness/perf.h"
#include "bench/harness/session.h"
#include "bench/kit/stop.h"
#include "bpf/bt.h"
#include "bpf/source.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/env.h"
#include "lib/journal.h"
#include "lib/kmod.h"
#include "lib/marks.h"
#include "lib/metric.h"
#include "lib/record.h"
#include "lib/tune.h"
#include "lib/util.h"

enum {
	OPT_BATCHES = 256, OPT_COUNTED, OPT_WARMUP, OPT_MIN_BATCH, OPT_SEED,
	OPT_CPU, OPT_DRY, OPT_COUNTER, OPT_ALL, OPT_GROUP, OPT_TUNE,
	OPT_SAMPLE, OPT_MAX_OPS, OPT_BT, OPT_BETTER, OPT_PERF,
};

/* Points whose cost is printed at the end. */
#define FIGURES	6

/* The value of a macro as a string. */
#define TEXT_OF(x)	#x
#define TEXT(x)		TEXT_OF(x)

static const struct argp_option options[] = {
	{ "bench", 'b', "GLOB[:k=v,v]", 0,
	  "measure these benchmarks; may be repeated; default all", 0 },
	{ "param", 'p', "K=V[,V...]", 0,
	  "set a parameter of every benchmark that has it", 0 },
	{ "output", 'o', "WHERE", 0,
	  "write to a folder, a file ending in .jsonl, or - for standard output; default runs/RELEASE", 0 },
	{ "ops", 'n', "N", 0,
	  "operations per batch and thread; default: the benchmark's own", 0 },
	{ "max-ops", OPT_MAX_OPS, "N", 0,
	  "lower the benchmark's own number of operations to N, to see what runs rather than what it costs", 0 },
	{ "batches", OPT_BATCHES, "N", 0,
	  "timed batches per point; default " TEXT(RUN_BATCHES) ", or " TEXT(RUN_BATCHES_EXACT) " where counts are exact", 0 },
	{ "counted", OPT_COUNTED, "N", 0,
	  "counted batches per point, 0 for none; default " TEXT(RUN_COUNTED), 0 },
	{ "warmup", OPT_WARMUP, "N", 0, "batches to discard first; default " TEXT(RUN_WARMUP), 0 },
	{ "min-batch-ms", OPT_MIN_BATCH, "MS", 0,
	  "raise the operations until a batch takes MS milliseconds; default " TEXT(RUN_MIN_BATCH_MS), 0 },
	{ "seed", OPT_SEED, "N", 0, "seed of random orders; recorded", 0 },
	{ "cpu", OPT_CPU, "N", 0, "measure on this CPU; default the highest", 0 },
	{ "counter", OPT_COUNTER, "WHAT", 0, NULL, 0 },
	{ "bt", OPT_BT, "SCRIPT", 0,
	  "also count with this bpftrace program, or FILE.bt [ARG...]: each number in a map is a metric bt.MAP, or bt.MAP.KEY",
	  0 },
	{ "perf", OPT_PERF, "TOOL OPTIONS", 0,
	  "also run the timed batches in perf: 'stat -e ...' makes metrics perf.EVENT, 'record -e ...' a perf.data beside the boot file",
	  0 },
	{ "better", OPT_BETTER, "WHICH", 0, NULL, 0 },
	{ "all-counters", OPT_ALL, NULL, 0,
	  "also count events that the operation can't cause, such as KVM's without a virtual machine", 0 },
	{ "group", OPT_GROUP, "N", 0,
	  "time N points before counting and writing them, since attaching is slow; default 1, or 64 in the emulated machine", 0 },
	{ "sample", OPT_SAMPLE, "SECONDS", 0,
	  "also sample each point's instructions (or time, without a PMU) for SECONDS, for ptelab explain", 0 },
	{ "tune", OPT_TUNE, NULL, 0,
	  "change the settings that ptelab doctor calls noise, and restore them after the run", 0 },
	{ "dry-run", OPT_DRY, NULL, 0, "print the points, measure nothing", 0 },
	{ 0 }
};

static const char doc[] =
	"Measures the running kernel, writes a boot file, and prints its name "
	"and what the first points cost.\v"
	"Examples:\n"
	"  ptelab run -b 'gup.*' -p folio=4k,64k -o runs/base\n"
	"  ptelab run -b gup.pin_fast:pages=1,16,256 -b fault.cow -o -\n"
	"  ptelab run -b fault.cow --sample 10 -o runs/base\n"
	"  ptelab run -b fault.cow --bt 'kprobe:do_wp_page { @wp = count(); }'\n"
	"  ptelab run -b fault.cow --perf 'stat -e page-faults,dTLB-load-misses'\n"
	"  ptelab run --dry-run -b 'fault.*' -p folio=4k,64k,2m\n"
	"\n"
	"Exit status: 0 all points were measured or are unavailable on this "
	"machine; 2 a point failed or was not proved, or nothing could be "
	"measured. On SIGINT or SIGTERM, run keeps the points measured so far, "
	"restores settings, and dies by that signal.";

#define MAX_ARGS	64

static struct {
	const char *selectors[MAX_ARGS], *params[MAX_ARGS];
	size_t nr_selectors, nr_params;
	const char *output, *bt;
	const struct choice *better;	/* of the metrics of bt and perf; NULL */
	bool dry_run, tune;
	struct runner_options o;
	bool batches_set;
	size_t group;	/* points to time before counting and writing them */
} env;

/* Both sources count notifier calls, so a run uses only one of them. */
static const struct counter_choice {
	struct choice choice;
	const struct counter_source *source;
} counter_rows[] = {
	{ { "bpf", "BPF programs" }, &bpf_source },
	{ { "kmod", "ptelab.ko" }, &kmod_source },
	{ { "none", NULL }, NULL },
};

const struct choices run_counters = CHOICES(counter_rows);

/* What counts: one of these, and bpftrace. */
static const struct counter_source *sources[3];

static const struct choice better_rows[] = {
	{ "none", NULL }, { "lower", NULL }, { "higher", NULL }
};

static const struct choices better_choices = CHOICES(better_rows);

static char *option_help(int key, const char *text,
			 void *input __attribute__((unused)))
{
	char *all, *help;

	if (key != OPT_COUNTER && key != OPT_BETTER)
		return (char *)text;
	all = choices_help(key == OPT_COUNTER ? &run_counters :
			   &better_choices);
	help = xasprintf(key == OPT_COUNTER ?
			 "what counts kernel events in the counted batches: %s" :
			 "with --bt and --perf: which way their metrics are better: %s",
			 all);
	free(all);
	return help;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct counter_choice *counter;
	char *end;

	switch (key) {
	case 'b':
		if (env.nr_selectors == MAX_ARGS)
			args_error(state, "too many -b");
		env.selectors[env.nr_selectors++] = arg;
		break;
	case 'p':
		if (env.nr_params == MAX_ARGS)
			args_error(state, "too many -p");
		env.params[env.nr_params++] = arg;
		break;
	case 'o':
		env.output = arg;
		break;
	case 'n':
		env.o.ops = number_arg("--ops", arg, 1, 1ULL << 40, state);
		break;
	case OPT_MAX_OPS:
		env.o.max_ops = number_arg("--max-ops", arg, 1, 1ULL << 40,
					   state);
		break;
	case OPT_BATCHES:
		env.o.batches = number_arg("--batches", arg, 1, 1000000, state);
		env.batches_set = true;
		break;
	case OPT_COUNTED:
		env.o.counted = number_arg("--counted", arg, 0, 1000, state);
		break;
	case OPT_WARMUP:
		env.o.warmup = number_arg("--warmup", arg, 0, 1000, state);
		break;
	case OPT_MIN_BATCH:
		env.o.min_batch_ns = strtod(arg, &end) * 1e6;
		if (*end || end == arg || !(env.o.min_batch_ns >= 0) ||
		    env.o.min_batch_ns > 60e9)
			args_error(state, "--min-batch-ms takes 0 to 60000, not '%s'",
				   arg);
		break;
	case OPT_SEED:
		env.o.seed = number_arg("--seed", arg, 0, INT64_MAX, state);
		break;
	case OPT_CPU:
		env.o.cpu = number_arg("--cpu", arg, 0, 65535, state);
		break;
	case OPT_GROUP:
		env.group = number_arg("--group", arg, 1, 1000000, state);
		break;
	case OPT_COUNTER:
		counter = choice_arg("--counter", &run_counters, arg, state);
		sources[0] = counter->source;
		break;
	case OPT_BT:
		env.bt = arg;
		break;
	case OPT_PERF:
		perf_free(env.o.perf);
		env.o.perf = perf_new(arg);
		if (!env.o.perf)
			args_error(state, "%s", fail_text());
		break;
	case OPT_BETTER:
		env.better = choice_arg("--better", &better_choices, arg,
					state);
		break;
	case OPT_ALL:
		env.o.all_events = true;
		break;
	case OPT_SAMPLE:
		env.o.sample_ns = strtod(arg, &end) * 1e9;
		if (*end || end == arg || !(env.o.sample_ns > 0) ||
		    env.o.sample_ns > 3600e9)
			args_error(state, "--sample takes seconds, up to 3600, not '%s'",
				   arg);
		break;
	case OPT_TUNE:
		env.tune = true;
		break;
	case OPT_DRY:
		env.dry_run = true;
		break;
	case ARGP_KEY_ARG:
		args_error(state, "unexpected '%s'; benchmarks are chosen with -b", arg);
		break;
	case ARGP_KEY_END:
		if (env.better && !env.bt && !env.o.perf)
			args_error(state, "--better goes with --bt or --perf");
		if (env.o.perf && perf_records(env.o.perf) && env.output &&
		    !strcmp(env.output, "-"))
			args_error(state, "--perf record writes beside the boot file, which -o - does not make");
		if (env.bt && !env.o.counted)
			args_error(state, "--bt counts in the counted batches, and --counted 0 leaves them out");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static volatile sig_atomic_t stop_signal;

static void on_signal(int sig)
{
	stop_signal = sig;
	bench_stop = 1;
}

static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	/*
	 * no SA_RESTART, so that a signal ends a call in which a benchmark
	 * sleeps; the second Ctrl-C kills, and the next start restores settings
	 */
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = SA_RESETHAND };
	struct sigaction old;
	size_t i;

	/* nohup, and shells with "&", ignore some of these: keep that */
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		if (!sigaction(signals[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
}

static json_t *command_json(int argc, char **argv)
{
	json_t *a = json_pack("[s, s]", "ptelab", "run");
	int i;

	for (i = 1; i < argc; i++)
		json_array_append_new(a, json_string(argv[i]));
	return a;
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static double started;

static void progress(const struct session *s, size_t i)
{
	const struct point_list *list = s->list;
	double spent = now_s() - started;
	char *label;

	if (args_quiet || !isatty(STDERR_FILENO))
		return;
	if (i == list->nr) {
		fputs("\r\033[K", stderr);
		return;
	}
	label = point_label(&list->points[i]);
	fprintf(stderr, "\r\033[K[%zu/%zu] %.58s", i + 1, list->nr, label);
	if (i > 2)
		fprintf(stderr, " %.0fs left", spent / i * (list->nr - i));
	fflush(stderr);
	free(label);
}

/* The reason of the first unavailable point. */
static char *first_reason;

static void note_unmeasured(const struct point *p, const json_t *record)
{
	const char *reason =
		json_string_value(json_object_get(record, "reason"));
	const char *status =
		json_string_value(json_object_get(record, "status"));
	char *label;

	if (!strcmp(status, "unavailable")) {
		if (!first_reason && reason)
			first_reason = xstrdup(reason);
		return;
	}
	label = point_label(p);

	if (!args_quiet && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	warn("%s: %s: %s", label, status, reason);
	free(label);
}

static void print_points(struct runner *r, const struct point_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++) {
		const char *why = runner_unavailable(r, &list->points[i]);
		char *label = point_label(&list->points[i]);

		printf("%s%s%s\n", label, why ? "  unavailable: " : "",
		       why ? why : "");
		free(label);
	}
}

/*
 * Loads the module if a point or the counters need it. If that fails, those points
 * report what is missing, and the others are measured.
 */
static void load_module(struct runner *r, const struct point_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		runner_unavailable(r, &list->points[i]);
	if (sources[0] == &kmod_source)
		kmod_unavailable(0);
	if (kmod_wanted() && kmod_load())
		warn("%s", fail_text());
}

/* Reports that there are no such metrics here, by the last error. */
static void without(const char *which, json_t *header)
{
	warn("%s", fail_text());
	json_object_set_new(json_object_get(header, "absent"), which,
			    json_string(fail_text()));
}

/*
 * Attaches the script once before anything is measured, so that an error in it
 * costs nothing. Where there is no bpftrace everything else is measured.
 */
static int use_bt(json_t *header)
{
	struct bt *bt;

	if (!env.bt)
		return 0;
	bt = bt_start(env.bt, getpid());
	if (!bt && errno != ENOENT)
		return -EINVAL;
	if (!bt) {
		without("bt.*", header);
		return 0;
	}
	bt_stop(bt);
	bt_source_use(env.bt);
	sources[sources[0] ? 1 : 0] = &bt_source;
	if (env.better)
		json_object_set_new(json_object_get(json_object_get(header,
					"metrics"), "bt.*"), "better",
				    json_string(env.better->name));
	return 0;
}

/* Likewise. */
static int use_perf(struct runner *r, json_t *header)
{
	int ret;

	if (!env.o.perf)
		return 0;
	ret = perf_try(env.o.perf, env.better ? env.better->name : "none",
		       header);
	if (ret != -ENODEV)
		return ret;
	without("perf.*", header);
	runner_without_perf(r);
	return 0;
}

static char *default_output(void)
{
	struct utsname u;

	uname(&u);
	return xasprintf("runs/%s", u.release);
}

/* Prints what the first points cost, and what to type next; 9 lines at most. */
static void print_figures(const char *path)
{
	struct side *side = side_load(path, NULL);

	if (!side)
		return;
	show_figures(side, FIGURES, stderr);
	fprintf(stderr, "next: ptelab show %s; or ptelab compare %s OTHER\n",
		path, path);
	side_free(side);
}

/*
 * Prints the summary of a run that was not interrupted; returns its status.
 * @path: NULL if the records went elsewhere than to a file that is complete.
 */
static int conclude(const struct session *s, const char *path)
{
	if (path) {
		puts(path);
		fflush(stdout);
	}
	if (!args_quiet)
		fprintf(stderr, "ptelab: %zu measured, %zu unavailable here, %zu failed or not proved\n",
			s->nr_ok, s->nr_unavailable, s->nr_bad);
	if (!args_quiet && path && s->nr_ok)
		print_figures(path);
	if (!args_quiet && env.o.perf && *perf_cost(env.o.perf))
		fprintf(stderr, "ptelab: --perf: %s\n", perf_cost(env.o.perf));
	if (env.o.perf && perf_lost(env.o.perf))
		return fail(EIO, "%s", perf_lost(env.o.perf));
	if (s->nr_bad)
		return fail(EPROTO, "%zu point%s failed or could not be proved; %s has the reason of each",
			    s->nr_bad, s->nr_bad == 1 ? "" : "s",
			    path ? path : "the record");
	if (!s->nr_ok && s->nr_unavailable)
		return fail(ENOTSUP, "nothing could be measured here%s%s; ptelab doctor shows what this machine lacks",
			    first_reason ? ": " : "",
			    first_reason ? first_reason : "");
	return 0;
}

/* Prints how much was kept after a signal. */
static void tell_stopped(const struct session *s, const char *path)
{
	if (s->nr_ok)
		fprintf(stderr, "ptelab: stopped by SIG%s; kept %zu point%s in %s, which is incomplete\n",
			sigabbrev_np(stop_signal), s->nr_ok,
			s->nr_ok == 1 ? "" : "s", path);
	else
		fprintf(stderr, "ptelab: stopped by SIG%s before a point was measured; %s is incomplete\n",
			sigabbrev_np(stop_signal), path);
}

static int run(int argc, char **argv, struct runner *r,
	       struct point_list *list, json_t *extra)
{
	char *where = env.output ? xstrdup(env.output) : default_output();
	json_t *header = env_header();
	struct session s = {
		.runner = r, .list = list, .group = env.group,
		.counted = env.o.counted, .progress = progress, .unmeasured = note_unmeasured,
	};
	struct run_writer *w;
	char *path = NULL;
	int ret;

	json_object_set_new(header, "seed", json_integer(env.o.seed));
	json_object_set_new(header, "command", command_json(argc, argv));
	/* to detect drift; left out where time is emulated, to keep files of one seed identical */
	if (!machine_get()->clock_emulated)
		json_object_set_new(header, "started",
				    json_integer(time(NULL)));
	if (extra)
		json_object_update(header, extra);
	runner_describe(r, header);

	load_module(r, list);
	ret = use_bt(header);
	if (!ret)
		ret = use_perf(r, header);
	w = ret ? NULL : run_writer_open(where, header);
	if (!w) {
		ret = ret ? ret : -errno;
		goto out;
	}
	region_mark(MARK_RUN);
	path = xstrdup(run_writer_path(w));
	s.writer = w;
	if (env.o.perf)
		perf_beside(env.o.perf, path);
	started = now_s();
	ret = session_measure(&s);
	if (run_writer_close(w, !ret) && !ret)
		ret = -EIO;
out:
	journal_close();
	json_decref(header);
	free(where);
	if (stop_signal) {
		if (path)
			tell_stopped(&s, path);
		signal(stop_signal, SIG_DFL);
		raise(stop_signal);
	}
	/* a cell prints the name itself, after it has renamed the file */
	if (!ret)
		ret = conclude(&s, extra || !strcmp(path, "-") ? NULL : path);
	free(path);
	return ret ? EXIT_COULD_NOT : EXIT_DONE;
}

/* Prepares the machine: restores leftovers of a killed run, applies --tune. */
static int take_machine(void)
{
	unsigned int replayed;
	size_t set;
	int ret = journal_open(NULL, JOURNAL_WAIT |
			       (args_quiet ? JOURNAL_QUIET : 0), &replayed);

	if (ret)
		return ret;
	if (replayed)
		warn("put back %u setting%s that a killed ptelab had changed",
		     replayed, replayed == 1 ? "" : "s");
	catch_signals();
	if (!env.tune)
		return 0;
	ret = tune_apply("", &set);
	if (!ret && !args_quiet)
		fprintf(stderr, "ptelab: %zu setting%s changed for this run\n",
			set, set == 1 ? "" : "s");
	return ret;
}

int run_measure(int argc, char **argv, json_t *extra)
{
	static const struct argp argp = { options, parse, NULL, doc, NULL,
					  option_help, NULL };
	struct point_list list;
	struct runner *r;
	int ret;

	env.o.cpu = -1;
	env.o.counted = RUN_COUNTED;
	env.o.warmup = RUN_WARMUP;
	env.o.min_batch_ns = RUN_MIN_BATCH_MS * 1e6;
	sources[0] = &bpf_source;
	env.o.sources = sources;
	args_parse(&argp, argc, argv, 0);
	if (!env.batches_set)
		env.o.batches = machine_get()->icount ?
				RUN_BATCHES_EXACT : RUN_BATCHES;
	if (!env.group)
		env.group = machine_get()->clock_emulated ? 64 : 1;

	if (points_expand(env.selectors, env.nr_selectors, env.params,
			  env.nr_params, &list))
		return EXIT_COULD_NOT;
	if (!env.dry_run && take_machine()) {
		journal_close();
		points_free(&list);
		return EXIT_COULD_NOT;
	}
	r = runner_new(&env.o);
	if (!r) {
		ret = EXIT_COULD_NOT;
	} else if (env.dry_run) {
		print_points(r, &list);
		ret = EXIT_DONE;
	} else {
		ret = run(argc, argv, r, &list, extra);
	}
	runner_free(r);
	perf_free(env.o.perf);
	journal_close();
	points_free(&list);
	return ret;
}

int cmd_run(int argc, char **argv)
{
	return run_measure(argc, argv, NULL);
}
