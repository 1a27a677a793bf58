// SPDX-License-Identifier: GPL-2.0
/*
 * make-batches: a made-up run with many batches, and the same numbers as text
 * for other programs.
 *
 *	make-batches DIR BOOTS BATCHES RATIO SEED [TEXTFILE]
 *
 * In the environment: STARTED=FIRST:STEP gives boots their time, DRIFT=X makes
 * each boot X slower than the one before, WARMUP=X the first tenth of batches.
 *
 * One point in each of BOOTS boots, BATCHES batches a boot of RATIO * 1000 ns
 * an operation; boots differ by .2 %, batches by 2 %. Lines are written by
 * hand, as the JSON of ten million numbers would not fit into memory.
 */
#include <inttypes.h>
#include <math.h>
#include <sha2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static uint64_t state;

static double uniform(void)
{
	/* splitmix64 */
	uint64_t z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return ((z ^ z >> 31) >> 11) / 9007199254740992.;
}

static double normal(void)
{
	double r = sqrt(-2 * log(1 - uniform()));

	return r * cos(2 * M_PI * uniform());
}

struct out {
	FILE *f;
	SHA2_CTX sum;
};

static void put(struct out *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct out *o, const char *fmt, ...)
{
	char text[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	SHA256Update(&o->sum, (const uint8_t *)text, n);
	fwrite(text, 1, n, o->f);
}

static double setting(const char *name, size_t nr, double otherwise)
{
	const char *text = getenv(name);

	while (text && nr-- && (text = strchr(text, ':')))
		text++;
	return text ? atof(text) : otherwise;
}

int main(int argc, char **argv)
{
	unsigned int boots, boot;
	size_t batches, i;
	double ratio;
	FILE *text = NULL;

	if (argc < 6) {
		fprintf(stderr, "make-batches DIR BOOTS BATCHES RATIO SEED [TEXTFILE]\n");
		return 2;
	}
	boots = atoi(argv[2]);
	batches = strtoull(argv[3], NULL, 10);
	ratio = atof(argv[4]);
	state = strtoull(argv[5], NULL, 10) * 1000003;
	mkdir(argv[1], 0777);
	if (argc > 6)
		text = fopen(argv[6], "w");
	for (boot = 0; boot < boots; boot++) {
		double level = 1000 * ratio * (1 + .002 * normal()), total = 0;
		double first = setting("STARTED", 0, 0);
		double step = setting("STARTED", 1, 0);
		char path[4096], hex[SHA256_DIGEST_STRING_LENGTH];
		struct out o;

		snprintf(path, sizeof(path), "%s/boot-%03u.jsonl", argv[1],
			 boot + 1);
		o.f = fopen(path, "w");
		if (!o.f)
			return 2;
		level *= 1 + setting("DRIFT", 0, 0) * boot;
		SHA256Init(&o.sum);
		put(&o, "{\"schema\":\"ptelab-run-1\",\"type\":\"header\",\"version\":\"0.1.0\",\"boot_id\":\"%s-%u\",\"kernel_release\":\"6.12.0\",\"build_id\":\"%s\",\"config_hash\":\"c\",\"cmdline\":\"\",\"arch\":\"arm64\",\"page_size\":4096,\"cpu\":{\"model\":\"T\"},\"machine\":{\"kind\":\"bare\",\"clock\":\"real\",\"icount\":false,\"mode\":\"timed\"},\"seed\":1,\"started\":%.0f,\"command\":[\"ptelab\",\"run\"],\"environment\":{},\"clock\":{\"source\":\"c\"},\"metrics\":{\"ns\":{\"unit\":\"ns\",\"kind\":\"time\",\"better\":\"lower\"}},\"absent\":{}}\n",
		    argv[5], boot, argv[5], first + step * boot);
		put(&o, "{\"type\":\"point\",\"bench\":\"gup.pin_fast\",\"params\":{\"folio\":\"64k\"},\"status\":\"ok\",\"operations\":100,\"batches\":{\"count\":%zu,\"warmup\":2,\"ns\":[",
		    batches);
		for (i = 0; i < batches; i++) {
			double v = level * (1 + .02 * normal());

			if (i < batches / 10)
				v *= setting("WARMUP", 0, 1);
			v = rint(100 * v);
			total += v;
			put(&o, "%s%.0f", i ? "," : "", v);
			if (text)
				fprintf(text, "%.0f\n", v);
		}
		put(&o, "]},\"counters\":{\"ns\":{\"per_op\":%.17g,\"total\":%.0f,\"operations\":%zu,\"pass\":\"timed\"}},\"absent\":{},\"harness\":{},\"proof\":{\"x\":1}}\n",
		    total / batches / 100, total, 100 * batches);
		SHA256End(&o.sum, hex);
		fprintf(o.f, "{\"type\":\"footer\",\"records\":1,\"checksum\":\"sha256:%s\"}\n",
			hex);
		if (fclose(o.f))
			return 2;
	}
	return text && fclose(text) ? 2 : 0;
}
