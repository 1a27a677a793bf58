// SPDX-License-Identifier: GPL-2.0
/*
 * calibrate: how often ptelab compare, and other tools' tests on the same
 * numbers, see a difference where there is none, and how often they see one
 * that is there.
 *
 *	calibrate [-n TABLES] [-s SEED] [-b BOOTS] [-r DIR] [-d DIR]
 *
 * A table has several rows; a false alarm is a table of two like sides in
 * which any row is called different. Power is how often the one row that was
 * made slower is called slower.
 *
 * -r: also of real noise: a folder of many boot files of one kernel, of which
 * each table takes some for either side, by lot.
 * -d: leaves the samples of the first tables as text, for ministat(1) itself,
 * with what is expected of it.
 *
 * ptelab's part goes through compare_sides(), as the command does; the others
 * are those of rivals.h.
 *
 * One file though it is long: made-up tables, real noise and the verdicts on both
 * are counted by one loop.
 */
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/judge/compare.h"
#include "lib/util.h"
#include "tests/calibrate/rivals.h"

#define MAX_ROWS	16
#define DUMPED		10

/* One table: values[side][row][boot * batches + batch]. */
struct table {
	size_t rows, boots, batches;
	double *v[2][MAX_ROWS];
};

/* Where tables come from. */
struct source {
	const char *name;
	size_t rows, boots, batches;
	/* of normal noise on the logarithm */
	double boot_sd, batch_sd;
	double shared;		/* part of a boot's variance that rows share */
	double mode_chance, mode_size;	/* boots in a slower mode */
	double spikes, spike_size;	/* batches hit by something */
	const struct side *real;	/* instead of all that */
};

static gsl_rng *rng;

static void table_new(struct table *t, const struct source *s)
{
	size_t side, row;

	t->rows = s->rows;
	t->boots = s->boots;
	t->batches = s->batches;
	for (side = 0; side < 2; side++)
		for (row = 0; row < t->rows; row++)
			t->v[side][row] = xcalloc(t->boots * t->batches,
						  sizeof(double));
}

static void table_free(struct table *t)
{
	size_t side, row;

	for (side = 0; side < 2; side++)
		for (row = 0; row < t->rows; row++)
			free(t->v[side][row]);
}

static void simulate_boot(struct table *t, const struct source *s, size_t side,
			  size_t boot)
{
	double common = gsl_ran_gaussian(rng, s->boot_sd * sqrt(s->shared));
	size_t row, i;

	for (row = 0; row < t->rows; row++) {
		double level = common + gsl_ran_gaussian(rng, s->boot_sd *
							 sqrt(1 - s->shared));

		if (gsl_rng_uniform(rng) < s->mode_chance)
			level += s->mode_size;
		for (i = 0; i < t->batches; i++) {
			double x = level + gsl_ran_gaussian(rng, s->batch_sd);

			if (gsl_rng_uniform(rng) < s->spikes)
				x += gsl_ran_exponential(rng, s->spike_size);
			t->v[side][row][boot * t->batches + i] =
				1000 * (row + 1) * exp(x);
		}
	}
}

static void real_boot(struct table *t, const struct source *s, size_t side,
		      size_t boot, size_t file)
{
	size_t row, i, nr;
	double *v;

	for (row = 0; row < t->rows; row++) {
		nr = batches_in_order(&s->real->points[row].obs[file], "ns",
				      &v);
		for (i = 0; i < t->batches && i < nr; i++)
			t->v[side][row][boot * t->batches + i] = v[i];
		free(v);
	}
}

/* The first row of the second side is slower by @effect. */
static void fill(struct table *t, const struct source *s, double effect)
{
	size_t *file = NULL, nr = 0, side, boot, i;

	if (s->real) {
		nr = s->real->points[0].nr_obs;
		file = xcalloc(nr, sizeof(*file));
		for (i = 0; i < nr; i++)
			file[i] = i;
		gsl_ran_shuffle(rng, file, nr, sizeof(*file));
	}
	for (side = 0; side < 2; side++)
		for (boot = 0; boot < t->boots; boot++) {
			if (s->real)
				real_boot(t, s, side, boot,
					  file[side * t->boots + boot]);
			else
				simulate_boot(t, s, side, boot);
		}
	for (i = 0; i < t->boots * t->batches; i++)
		t->v[1][0][i] *= 1 + effect;
	free(file);
}

/* --- ptelab --- */

static json_t *point_json(const struct table *t, size_t side, size_t row,
			  size_t boot)
{
	const double *v = t->v[side][row] + boot * t->batches;
	json_t *list = json_array();
	double total = 0;
	size_t i;

	for (i = 0; i < t->batches; i++) {
		json_array_append_new(list, json_real(v[i]));
		total += v[i];
	}
	return json_pack("{s:s, s:{s:i}, s:s, s:i, s:{s:o}, s:{s:{s:f, s:f, s:i}}}",
			 "bench", "made.up", "params", "row", (int)row,
			 "status", "ok", "operations", 1, "batches", "ns",
			 list, "counters", "ns", "per_op",
			 stat_median(v, t->batches), "total", total,
			 "operations", (int)t->batches);
}

static struct side *side_from(const struct table *t, size_t side)
{
	struct run *run = xcalloc(1, sizeof(*run));
	size_t boot, row;

	run->path = xstrdup(side ? "new" : "base");
	run->nr_files = t->boots;
	run->files = xcalloc(t->boots, sizeof(*run->files));
	for (boot = 0; boot < t->boots; boot++) {
		struct run_file *f = xcalloc(1, sizeof(*f));
		char *id = xasprintf("%zu-%zu", side, boot);

		f->path = xstrdup(id);
		f->header = json_pack("{s:s, s:{s:s, s:s}}", "boot_id", id,
				      "machine", "mode", "timed", "clock",
				      "real");
		f->complete = true;
		f->nr_points = t->rows;
		f->points = xcalloc(t->rows, sizeof(*f->points));
		for (row = 0; row < t->rows; row++)
			f->points[row] = point_json(t, side, row, boot);
		run->files[boot] = f;
		free(id);
	}
	return side_of_run(run, NULL);
}

/* --- the methods --- */

enum { PTELAB, PTELAB_MEAN, RANKS_HOLM, MINISTAT, WELCH, OVERLAP, RANGES, MINISTAT_BOOTS, WELCH_BOOTS,
       HOLM_BOOTS, NR_METHODS };

static const char *const method_name[] = {
	"ptelab compare", "  with --center mean", "ranks with Holm", "ministat", "hyperfine (Welch)", "fastpath (CIs)",
	"lkp (ranges of boots)", "ministat, boot means", "Welch, boot means",
	"the same with Holm",
};

/* What a method says of each row of a table. */
struct said {
	double p[NR_METHODS][MAX_ROWS];
	bool differs[NR_METHODS][MAX_ROWS];
	bool slower[NR_METHODS][MAX_ROWS];	/* which way it would point */
	bool equivalent[MAX_ROWS];		/* ptelab only */
};

static void ask_ptelab(const struct table *t, struct said *said, int method,
		       stat_center center)
{
	struct compare_options o = compare_defaults;
	struct side *base = side_from(t, 0), *new = side_from(t, 1);
	struct comparison *c;
	size_t i;

	o.resamples = 1000;
	o.center = center;
	c = compare_sides(base, new, &o);
	for (i = 0; i < c->nr_results; i++) {
		const struct result *r = &c->results[i];
		size_t row = json_integer_value(json_object_get(
				r->point->params, "row"));

		said->p[method][row] = r->p_adjusted;
		said->slower[method][row] = r->delta > 0;
		said->differs[method][row] = is_difference(r);
		if (method == PTELAB)
			said->equivalent[row] =
				r->verdict == VERDICT_EQUIVALENT;
	}
	comparison_free(c);
	side_free(base);
	side_free(new);
}

/* What each boot's batches come to, by @center: a mean, or a median. */
static void boot_centers(const struct table *t, size_t side, size_t row,
			 double (*center)(const double *, size_t), double *out)
{
	size_t boot;

	for (boot = 0; boot < t->boots; boot++)
		out[boot] = center(t->v[side][row] + boot * t->batches,
				   t->batches);
}

static void ask_rivals(const struct table *t, struct said *said)
{
	size_t n = t->boots * t->batches, b = t->boots, row;
	double *mx = xcalloc(b, sizeof(*mx)), *my = xcalloc(b, sizeof(*my));
	double ranks[MAX_ROWS];
	int m;

	for (row = 0; row < t->rows; row++) {
		const double *x = t->v[1][row], *y = t->v[0][row];
		bool slower = stat_mean(x, n) > stat_mean(y, n);

		/* What ptelab does where it has boots enough for it */
		boot_centers(t, 1, row, stat_median, mx);
		boot_centers(t, 0, row, stat_median, my);
		ranks[row] = fmax(stat_mann_whitney(mx, b, my, b).p,
				  stat_rank_floor(b, b));
		said->slower[RANKS_HOLM][row] = stat_median(mx, b) >
						stat_median(my, b);
		boot_centers(t, 1, row, stat_mean, mx);
		boot_centers(t, 0, row, stat_mean, my);
		said->p[MINISTAT][row] = rival_student(x, n, y, n, .95, NULL);
		said->p[WELCH][row] = rival_welch(x, n, y, n);
		said->p[OVERLAP][row] = rival_overlap(x, n, y, n);
		said->p[RANGES][row] = rival_ranges(mx, b, my, b);
		said->p[MINISTAT_BOOTS][row] = rival_student(mx, b, my, b, .95,
							     NULL);
		said->p[WELCH_BOOTS][row] = rival_welch(mx, b, my, b);
		for (m = MINISTAT; m < NR_METHODS; m++)
			said->slower[m][row] = slower;
	}
	stat_holm(said->p[WELCH_BOOTS], t->rows, said->p[HOLM_BOOTS]);
	stat_holm(ranks, t->rows, said->p[RANKS_HOLM]);
	for (m = RANKS_HOLM; m < NR_METHODS; m++)
		for (row = 0; row < t->rows; row++)
			said->differs[m][row] = said->p[m][row] < RIVAL_ALPHA;
	free(mx);
	free(my);
}

/* --- counting --- */

static const double effects[] = { 0, .01, .02, .05 };

#define NR_EFFECTS	ARRAY_SIZE(effects)

struct tally {
	size_t tables[NR_METHODS];	/* with a false alarm */
	size_t rows[NR_METHODS];
	size_t seen[NR_EFFECTS][NR_METHODS];
	size_t at_equal[NR_EFFECTS][NR_METHODS];
	size_t equivalent[NR_EFFECTS];
};

/* What a method would have to call a difference for 5 % of null tables. */
static void find_levels(double (*least)[NR_METHODS], size_t nr, double *level)
{
	double *p = xcalloc(nr, sizeof(*p));
	size_t i;
	int m;

	for (m = 0; m < NR_METHODS; m++) {
		for (i = 0; i < nr; i++)
			p[i] = least[i][m];
		stat_sort(p, nr);
		/* below it are at most 5 % of the tables */
		level[m] = p[nr / 20];
	}
	free(p);
}

static void count_nulls(const struct said *said, size_t rows, struct tally *t,
			double *least)
{
	size_t row;
	int m;

	for (m = 0; m < NR_METHODS; m++) {
		bool any = false;

		least[m] = 1;
		for (row = 0; row < rows; row++) {
			any = any || said->differs[m][row];
			t->rows[m] += said->differs[m][row];
			least[m] = fmin(least[m], said->p[m][row]);
		}
		t->tables[m] += any;
	}
	t->equivalent[0] += said->equivalent[0];
}

static void count_seen(const struct said *said, const double *level, size_t e,
		       struct tally *t)
{
	int m;

	for (m = 0; m < NR_METHODS; m++) {
		t->seen[e][m] += said->differs[m][0] && said->slower[m][0];
		t->at_equal[e][m] += said->p[m][0] < level[m] &&
				     said->slower[m][0];
	}
	t->equivalent[e] += said->equivalent[0];
}

static void dump(const struct table *t, const struct said *said,
		 const char *dir, size_t nr)
{
	size_t side, i;
	char *path;
	FILE *f;

	for (side = 0; side < 2; side++) {
		path = xasprintf("%s/%zu.%zu", dir, nr, side);
		f = fopen(path, "w");
		for (i = 0; f && i < t->boots * t->batches; i++)
			fprintf(f, "%.17g\n", t->v[side][0][i]);
		if (f)
			fclose(f);
		free(path);
	}
	path = xasprintf("%s/%zu.expected", dir, nr);
	f = fopen(path, "w");
	if (f) {
		fprintf(f, "%d\n", said->differs[MINISTAT][0]);
		fclose(f);
	}
	free(path);
}

static double percent(size_t part, size_t of)
{
	return 100. * part / of;
}

/*
 * Who sees most among those that hold the level: at most 5 % false tables, but
 * for three standard errors.
 */
static void print_best(size_t tables, const struct tally *t)
{
	double most = .05 + 3 * sqrt(.05 * .95 / tables);
	size_t e;
	int m;

	fputs("  most power among those with no more than 5% false tables:", stdout);
	for (e = 1; e < NR_EFFECTS; e++) {
		int best = -1;

		for (m = 0; m < NR_METHODS; m++)
			if ((double)t->tables[m] / tables <= most &&
			    (best < 0 || t->seen[e][m] > t->seen[e][best]))
				best = m;
		printf("\n    %g%%: %s", 100 * effects[e],
		       best < 0 ? "nobody" :
		       best == HOLM_BOOTS ? "Welch on boot means with Holm" :
		       best == PTELAB_MEAN ? "ptelab compare --center mean" :
		       method_name[best]);
	}
	putchar('\n');
}

static void print_source(const struct source *s, size_t tables,
			 const struct tally *t)
{
	size_t e;
	int m;

	printf("\n%s: %zu rows, %zu boots a side, %zu batches\n", s->name,
	       s->rows, s->boots, s->batches);
	printf("                       false alarms   power at        power if 5%% of\n"
	       "                       tables   rows    1%%   2%%   5%%  tables were false\n");
	for (m = 0; m < NR_METHODS; m++) {
		printf("  %-21s %5.1f%% %5.1f%%", method_name[m],
		       percent(t->tables[m], tables),
		       percent(t->rows[m], tables * s->rows));
		for (e = 1; e < NR_EFFECTS; e++)
			printf(" %4.0f", percent(t->seen[e][m], tables));
		printf("   ");
		for (e = 1; e < NR_EFFECTS && m != RANGES; e++)
			printf(" %4.0f", percent(t->at_equal[e][m], tables));
		puts(m == RANGES ? "    has no level" : "");
	}
	printf("  ptelab \"equivalent within 1%%\": %.0f%% of rows without a change, %.1f%% with 2%%,\n"
	       "    %.1f%% with 5%%\n", percent(t->equivalent[0], tables),
	       percent(t->equivalent[2], tables),
	       percent(t->equivalent[3], tables));
	print_best(tables, t);
}

static void calibrate(const struct source *s, size_t tables, const char *dir)
{
	double (*least)[NR_METHODS] = xcalloc(tables, sizeof(*least));
	double level[NR_METHODS] = { 0 };
	struct tally tally = { 0 };
	struct table t;
	size_t e, i;

	table_new(&t, s);
	for (e = 0; e < NR_EFFECTS; e++) {
		for (i = 0; i < tables; i++) {
			struct said said = { 0 };

			if (isatty(STDERR_FILENO) && !(i % 16))
				fprintf(stderr, "\r\033[K%s %g%%: %zu of %zu",
					s->name, 100 * effects[e], i, tables);
			fill(&t, s, effects[e]);
			ask_ptelab(&t, &said, PTELAB, stat_median);
			ask_ptelab(&t, &said, PTELAB_MEAN, stat_mean);
			ask_rivals(&t, &said);
			if (!e)
				count_nulls(&said, t.rows, &tally, least[i]);
			else
				count_seen(&said, level, e, &tally);
			if (dir && i < DUMPED && e == 1)
				dump(&t, &said, dir, i);
		}
		if (!e)
			find_levels(least, tables, level);
	}
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	print_source(s, tables, &tally);
	fflush(stdout);
	table_free(&t);
	free(least);
}

/* Rows that every file has with as many batches; others are left out. */
static struct side *load_real(const char *path, struct source *s)
{
	struct side *side = side_load(path, NULL);
	size_t i, j, nr = 0;
	double *v;

	if (!side)
		return NULL;
	s->batches = SIZE_MAX;
	for (i = 0; i < side->nr_points && nr < MAX_ROWS; i++) {
		struct side_point *p = &side->points[i], other;
		size_t least = SIZE_MAX;

		if (!strcmp(p->bench, "harness.empty") ||
		    p->nr_obs != side->run->nr_files)
			continue;
		for (j = 0; j < p->nr_obs; j++) {
			size_t n = batches_in_order(&p->obs[j], "ns", &v);

			free(v);
			least = n < least ? n : least;
		}
		if (least < 3)
			continue;
		s->batches = least < s->batches ? least : s->batches;
		other = side->points[nr];
		side->points[nr++] = *p;
		*p = other;
	}
	s->rows = nr;
	s->real = side;
	return side;
}

/* The middle of rows' standard deviations between files, over the mean. */
static double spread(const struct side *side, size_t rows)
{
	double *cv = xcalloc(rows, sizeof(*cv)), middle;
	size_t i, j, nr;

	for (i = 0; i < rows; i++) {
		const struct side_point *p = &side->points[i];
		double *m = xcalloc(p->nr_obs, sizeof(*m)), *v;

		for (j = 0; j < p->nr_obs; j++) {
			nr = batches_in_order(&p->obs[j], "ns", &v);
			m[j] = stat_median(v, nr);
			free(v);
		}
		cv[i] = sqrt(stat_variance(m, p->nr_obs)) /
			stat_mean(m, p->nr_obs);
		free(m);
	}
	middle = stat_median(cv, rows);
	free(cv);
	return middle;
}

int main(int argc, char **argv)
{
	static const struct source models[] = {
		{ .name = "boots differ by .5%, batches by 2%", .rows = 8,
		  .batches = 20, .boot_sd = .005, .batch_sd = .02,
		  .shared = .5 },
		{ .name = "boots differ by 1.5%, batches by .5%", .rows = 8,
		  .batches = 20, .boot_sd = .015, .batch_sd = .005,
		  .shared = .5 },
		{ .name = "one boot in five 4% slower, spikes", .rows = 8,
		  .batches = 20, .boot_sd = .003, .batch_sd = .01,
		  .shared = .5, .mode_chance = .2, .mode_size = .04,
		  .spikes = .03, .spike_size = .3 },
		/* The same with fewer boots than ranks need */
		{ .name = "boots differ by .5%, batches by 2%", .rows = 8,
		  .boots = 5, .batches = 20, .boot_sd = .005, .batch_sd = .02,
		  .shared = .5 },
		{ .name = "one boot in five 4% slower, spikes", .rows = 8,
		  .boots = 5, .batches = 20, .boot_sd = .003, .batch_sd = .01,
		  .shared = .5, .mode_chance = .2, .mode_size = .04,
		  .spikes = .03, .spike_size = .3 },
	};
	struct source real = { .name = "this machine" };
	const char *dump_dir = NULL, *real_dir = NULL;
	size_t tables = 200, boots = 8, i;
	unsigned long seed = 1;
	struct side *side;
	int opt;

	while ((opt = getopt(argc, argv, "n:s:b:r:d:")) != -1) {
		switch (opt) {
		case 'n':
			tables = strtoul(optarg, NULL, 10);
			break;
		case 's':
			seed = strtoul(optarg, NULL, 10);
			break;
		case 'b':
			boots = strtoul(optarg, NULL, 10);
			break;
		case 'r':
			real_dir = optarg;
			break;
		case 'd':
			dump_dir = optarg;
			break;
		default:
			return 2;
		}
	}
	if (tables < 20 || boots < 2) {
		fputs("calibrate: at least 20 tables of 2 boots\n", stderr);
		return 2;
	}
	rng = gsl_rng_alloc(gsl_rng_mt19937);
	gsl_rng_set(rng, seed);
	printf("%zu tables for each figure, seed %lu; a rate of 5%% is known to +-%.1f%%\n",
	       tables, seed, 196 * sqrt(.05 * .95 / tables));
	for (i = 0; i < ARRAY_SIZE(models); i++) {
		struct source s = models[i];

		if (!s.boots)
			s.boots = boots;
		calibrate(&s, tables, i ? NULL : dump_dir);
	}
	if (real_dir) {
		real.boots = boots;
		side = load_real(real_dir, &real);
		if (!side || !real.rows ||
		    side->run->nr_files < 2 * boots) {
			fprintf(stderr, "calibrate: %s: %s\n", real_dir,
				side ? "too few files that have the same points" :
				fail_text());
			return 2;
		}
		printf("\nThe following: %zu runs here, drawn by lot for each table; each stands for a\nboot (real boots differ by more). Their medians differ by %.2g%% (standard\ndeviation, the middle of %zu rows; the slowed row by %.2g%%).\n",
		       side->run->nr_files, 100 * spread(side, real.rows),
		       real.rows, 100 * spread(side, 1));
		calibrate(&real, tables, NULL);
		side_free(side);
	}
	gsl_rng_free(rng);
	return 0;
}
