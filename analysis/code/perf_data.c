// SPDX-License-Identifier: GPL-2.0
/*
 * See perf_data.h. The format is that of the kernel's
 * tools/perf/Documentation/perf.data-file-format.txt and
 * include/uapi/linux/perf_event.h, of a file that can be seeked in: perf diff
 * of 6.1 does not read that of a pipe. The file is of the host's byte order, and
 * says that it is of arm64.
 */
#include "analysis/code/perf_data.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/code/subject.h"
#include "lib/elf_facts.h"
#include "lib/util.h"
#include "lib/version.h"

/* Of perf.data, not of the kernel. */
#define MAGIC		0x32454c4946524550ULL	/* "PERFILE2" */
#define FEAT_OSRELEASE	4
#define FEAT_VERSION	5
#define FEAT_ARCH	6
#define FEAT_CMDLINE	11
#define FEAT_EVENT_DESC	12
#define NAME_ALIGN	64	/* of strings in features */

#define MISC_BUILD_ID	(1 << 14)	/* PERF_RECORD_MISC_MMAP_BUILD_ID */
#define BUILD_ID_BYTES	20

/* Who runs what is neither the program's nor called by it. */
#define PROGRAM_ID	1
#define OTHER_TASK_ID	2

/* perf report reads no more of a chain. */
#define MAX_CHAIN	127

struct section {
	uint64_t offset, size;
};

struct file_header {
	uint64_t magic, size, attr_size;
	struct section attrs, data, event_types;
	uint64_t features[4];
};

struct file_attr {
	struct perf_event_attr attr;
	struct section ids;
};

/* --- images --- */

struct image_file {
	char *path;
	struct elf_facts facts;
};

struct perf_images {
	struct image_file *v;
	size_t nr;
};

struct perf_images *perf_images_new(void)
{
	return xcalloc(1, sizeof(struct perf_images));
}

void perf_images_free(struct perf_images *p)
{
	size_t i;

	for (i = 0; i < p->nr; i++)
		free(p->v[i].path);
	free(p->v);
	free(p);
}

int perf_images_add(struct perf_images *p, const char *path)
{
	struct image_file f;
	int ret = elf_facts(path, &f.facts);

	if (!ret && !*f.facts.build_id)
		ret = fail(EINVAL, "%s: has no build id, by which perf could know it",
			   path);
	if (ret)
		return ret;
	f.path = realpath(path, NULL);
	if (!f.path)
		return fail(errno, "%s: %s", path, strerror(errno));
	p->v = grow(p->v, p->nr, sizeof(*p->v));
	p->v[p->nr++] = f;
	return 0;
}

static void add_found(struct perf_images *p, const char *fmt, ...)
	__printf(2, 3);
static void add_found(struct perf_images *p, const char *fmt, ...)
{
	char *pattern;
	va_list ap;
	glob_t g;
	size_t i;

	va_start(ap, fmt);
	if (vasprintf(&pattern, fmt, ap) < 0)
		abort();
	va_end(ap);
	if (!glob(pattern, 0, NULL, &g)) {
		for (i = 0; i < g.gl_pathc; i++)
			perf_images_add(p, g.gl_pathv[i]);
		globfree(&g);
	}
	free(pattern);
}

void perf_images_find(struct perf_images *p, const struct side *side)
{
	const char *boot = side->run->files[0]->path;
	const char *slash = strrchr(boot, '/');
	char *folder = slash ? xstrndup(boot, slash - boot) : xstrdup(".");
	const char *runs[] = { folder, folder };
	struct subject s[2];
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	/* a missing file is reported when a sample needs it */
	if (!subjects_of(runs, 2, s)) {
		add_found(p, "%s", s[0].vmlinux);
		add_found(p, "%s/*.ko", s[0].folder);
	}
	subject_free(&s[0]);
	subject_free(&s[1]);
	free(folder);
	self[n > 0 ? n : 0] = 0;
	if (strrchr(self, '/')) {
		*strrchr(self, '/') = 0;
		add_found(p, "%s/../arm64/ptelab", self);
	}
}

static const struct image_file *image_by_id(const struct perf_images *p,
					    const char *build_id)
{
	size_t i;

	for (i = 0; i < p->nr && *build_id; i++)
		if (!strcmp(p->v[i].facts.build_id, build_id))
			return &p->v[i];
	return NULL;
}

/* FOLDER/.build-id/12/3456.../elf, as perf buildid-cache would make it. */
static int link_image(const struct image_file *f, const char *folder)
{
	const char *id = f->facts.build_id;
	char *dir = xasprintf("%s/.build-id/%.2s/%s", folder, id, id + 2);
	char *name = xasprintf("%s/elf", dir);
	int ret = make_dirs(dir);

	if (!ret && unlink(name) && errno != ENOENT)
		ret = fail(errno, "%s: %s", name, strerror(errno));
	if (!ret && symlink(f->path, name))
		ret = fail(errno, "%s: %s", name, strerror(errno));
	free(name);
	free(dir);
	return ret;
}

/* --- records --- */

static void put_record(FILE *f, uint32_t type, uint16_t misc, const void *body,
		       size_t size)
{
	static const char zeroes[8];
	size_t pad = -size & 7;
	struct perf_event_header h = { type, misc, sizeof(h) + size + pad };

	fwrite(&h, sizeof(h), 1, f);
	fwrite(body, size, 1, f);
	fwrite(zeroes, pad, 1, f);
}

static void put_comm(FILE *f, uint32_t id, const char *name)
{
	struct {
		uint32_t pid, tid;
		char comm[16];
	} body = { .pid = id, .tid = id };

	snprintf(body.comm, sizeof(body.comm), "%s", name);
	put_record(f, PERF_RECORD_COMM, 0, &body, sizeof(body));
}

static void put_mmap(FILE *f, uint16_t mode, const char *name, uint64_t start,
		     uint64_t size, uint64_t offset, const char *build_id)
{
	struct {
		uint32_t pid, tid;
		uint64_t start, len, pgoff;
		uint8_t id_size, pad[3];
		uint8_t id[BUILD_ID_BYTES];
		uint32_t prot, flags;
		char name[PATH_MAX];
	} body = {
		.pid = mode == PERF_RECORD_MISC_KERNEL ? (uint32_t)-1 :
			PROGRAM_ID,
		.tid = mode == PERF_RECORD_MISC_KERNEL ? 0 : PROGRAM_ID,
		.start = start, .len = size, .pgoff = offset,
		.prot = 5,	/* PROT_READ | PROT_EXEC */
		.flags = 2,	/* MAP_PRIVATE */
	};
	char byte[3] = "";

	for (; *build_id && body.id_size < BUILD_ID_BYTES; build_id += 2) {
		memcpy(byte, build_id, 2);
		body.id[body.id_size++] = strtoul(byte, NULL, 16);
	}
	snprintf(body.name, sizeof(body.name), "%s", name);
	put_record(f, PERF_RECORD_MMAP2,
		   mode | (body.id_size ? MISC_BUILD_ID : 0), &body,
		   offsetof(typeof(body), name) + strlen(body.name) + 1);
}

/* --- what ran where --- */

static bool is_space(const struct insn_function *n, const char *space)
{
	return !strcmp(n->space, space);
}

static bool in_image(const struct insn_file *f, uint64_t addr)
{
	size_t i;

	for (i = 0; i < f->nr_images; i++)
		if (addr - f->images[i].start < f->images[i].size)
			return true;
	return false;
}

/* Where the functions of a space are that are of no image of the boot. */
static bool range_of(const struct insn_file *f, const char *space,
		     uint64_t *start, uint64_t *end)
{
	size_t i;

	*start = UINT64_MAX;
	*end = 0;
	for (i = 0; i < f->nr_functions; i++) {
		const struct insn_function *n = &f->functions[i];

		if (!is_space(n, space) || in_image(f, n->start))
			continue;
		if (n->start < *start)
			*start = n->start;
		if (n->start + 4 * n->nr > *end)
			*end = n->start + 4 * n->nr;
	}
	return *end;
}

static int put_maps(FILE *f, const struct perf_side *s,
		    const struct perf_images *p, const char *folder,
		    const char **unknown)
{
	const char *id = json_text(s->header, "build_id");
	const struct image_file *image = image_by_id(p, id);
	uint64_t start, end;
	size_t i;
	int ret = 0;

	if (image) {
		/* no offset: it ran where it was linked */
		put_mmap(f, PERF_RECORD_MISC_KERNEL, "[kernel.kallsyms]_text",
			 image->facts.start, image->facts.size, 0, id);
		ret = link_image(image, folder);
	} else if (range_of(s->file, "kernel", &start, &end)) {
		put_mmap(f, PERF_RECORD_MISC_KERNEL, "[kernel.kallsyms]_text",
			 start, end - start, 0, id);
		*unknown = "vmlinux";
	}
	/* before the program, which takes the room that both claim */
	if (range_of(s->file, "guest", &start, &end))
		put_mmap(f, PERF_RECORD_MISC_USER, "[guest]", start,
			 end - start, 0, "");
	for (i = 0; i < s->file->nr_images && !ret; i++) {
		const struct insn_image *n = &s->file->images[i];
		bool kernel = n->start >> 63;

		image = image_by_id(p, n->build_id);
		if (!image && !*unknown)
			*unknown = n->file;
		put_mmap(f, kernel ? PERF_RECORD_MISC_KERNEL :
			 PERF_RECORD_MISC_USER, image ? image->path : n->file,
			 n->start, n->size,
			 image && !kernel ? image->facts.offset +
			 n->start - image->facts.start : 0,
			 n->build_id);
		if (image)
			ret = link_image(image, folder);
	}
	return ret;
}

/* --- samples --- */

struct perf_sample {
	uint64_t ip;
	uint32_t pid, tid;
	uint64_t period;
	uint64_t nr;
	uint64_t chain[MAX_CHAIN + 8];
};

struct chain {
	uint64_t v[MAX_CHAIN + 8];
	size_t nr;
	const char *space;	/* of the last one */
	uint32_t task;
};

static void chain_add(struct chain *c, const struct insn_function *n,
		      uint64_t offset)
{
	bool kernel = is_space(n, "kernel");

	if (c->nr >= MAX_CHAIN)
		return;
	if (!c->space || kernel != !strcmp(c->space, "kernel"))
		c->v[c->nr++] = kernel ? PERF_CONTEXT_KERNEL :
			PERF_CONTEXT_USER;
	c->space = n->space;
	c->v[c->nr++] = n->start + offset;
}

/* What was called by whom, the innermost first; without the instruction. */
static void add_callers(struct chain *c, const struct insn_file *f,
			const struct insn_region *r, uint32_t node)
{
	for (;; node = r->nodes[node].parent) {
		const struct insn_node *n = &r->nodes[node];

		if (n->kind == N_TASK)
			c->task = OTHER_TASK_ID;
		if (n->kind == N_TASK || n->kind == N_LOST || n->parent == node)
			break;
		if (n->site >= 0)
			chain_add(c, &f->functions[n->site], n->site_offset);
	}
}

static void put_count(FILE *f, const struct perf_side *s,
		      const struct insn_weight *w, const struct insn_count *c)
{
	const struct insn_function *n = &s->file->functions[c->function];
	struct chain chain = { .task = PROGRAM_ID };
	struct perf_sample sample = { .period = c->count };
	uint32_t i;

	chain_add(&chain, n, 0);
	add_callers(&chain, s->file, s->region, c->node);
	sample.pid = sample.tid = chain.task;
	sample.nr = chain.nr;
	memcpy(sample.chain, chain.v, chain.nr * sizeof(*chain.v));
	for (i = 0; i < c->nr; i++) {
		if (!insn_weigh(w, n, c->offset / 4 + i))
			continue;
		sample.ip = n->start + c->offset + 4 * i;
		/* behind its context */
		sample.chain[1] = sample.ip;
		put_record(f, PERF_RECORD_SAMPLE,
			   is_space(n, "kernel") ? PERF_RECORD_MISC_KERNEL :
			   PERF_RECORD_MISC_USER, &sample,
			   offsetof(struct perf_sample, chain) +
			   sample.nr * sizeof(*sample.chain));
	}
}

/* Sets "NAME": null for each function of a space that ran. */
static void note_functions(const struct insn_file *f,
			   const struct insn_region *r, bool kernel, json_t *o)
{
	size_t i;

	for (i = 0; i < r->nr_counts; i++) {
		const struct insn_function *n =
			&f->functions[r->counts[i].function];

		if (is_space(n, kernel ? "kernel" : "user"))
			json_object_set_new(o, n->name, json_null());
	}
}

/*
 * A sample of period 0 for each function of the image at @start that ran on the
 * other side alone: perf diff pairs functions by name, and gives no difference
 * of what has no pair.
 */
static void put_absent(FILE *f, const struct perf_side *s,
		       const struct image_file *image, uint64_t start)
{
	bool kernel = start >> 63;
	json_t *only = json_object(), *here = json_object(), *at;
	struct perf_sample sample = { .pid = PROGRAM_ID, .tid = PROGRAM_ID };
	const char *name;

	note_functions(s->other_file, s->other, kernel, only);
	note_functions(s->file, s->region, kernel, here);
	json_object_foreach(here, name, at)
		json_object_del(only, name);
	elf_addresses(image->path, only);
	json_object_foreach(only, name, at) {
		if (!json_is_integer(at))
			continue;
		sample.ip = json_integer_value(at) +
			    (image->facts.module ? start : 0);
		put_record(f, PERF_RECORD_SAMPLE,
			   kernel ? PERF_RECORD_MISC_KERNEL :
			   PERF_RECORD_MISC_USER, &sample,
			   offsetof(struct perf_sample, chain));
	}
	json_decref(here);
	json_decref(only);
}

static void put_all_absent(FILE *f, const struct perf_side *s,
			   const struct perf_images *p)
{
	const struct image_file *image;
	size_t i;

	image = image_by_id(p, json_text(s->header, "build_id"));
	if (image)
		put_absent(f, s, image, image->facts.start);
	for (i = 0; i < s->file->nr_images; i++) {
		image = image_by_id(p, s->file->images[i].build_id);
		if (image)
			put_absent(f, s, image, s->file->images[i].start);
	}
}

/* --- features --- */

static void put_string(FILE *f, const char *text)
{
	uint32_t len = (strlen(text) + NAME_ALIGN) / NAME_ALIGN * NAME_ALIGN;
	size_t i;

	fwrite(&len, sizeof(len), 1, f);
	fputs(text, f);
	for (i = strlen(text); i < len; i++)
		fputc(0, f);
}

static void put_feature(FILE *f, unsigned int feature,
			const struct perf_side *s,
			const struct perf_event_attr *attr)
{
	const struct { uint32_t nr, size; } events = { 1, sizeof(*attr) };
	const uint32_t one = 1, none = 0;

	switch (feature) {
	case FEAT_OSRELEASE:
		put_string(f, json_text(s->header, "kernel_release"));
		break;
	case FEAT_VERSION:
		put_string(f, "ptelab " PTELAB_VERSION);
		break;
	case FEAT_ARCH:
		put_string(f, "aarch64");
		break;
	case FEAT_CMDLINE:
		fwrite(&one, sizeof(one), 1, f);
		put_string(f, s->command);
		break;
	case FEAT_EVENT_DESC:
		fwrite(&events, sizeof(events), 1, f);
		fwrite(attr, sizeof(*attr), 1, f);
		fwrite(&none, sizeof(none), 1, f);	/* of ids */
		put_string(f, s->metric);
		break;
	}
}

/* --- the file --- */

static int put_file(FILE *f, const struct perf_side *s,
		    const struct perf_images *p, const char *folder,
		    const char **unknown)
{
	/* in the order of their bits */
	static const unsigned int features[] = {
		FEAT_OSRELEASE, FEAT_VERSION, FEAT_ARCH, FEAT_CMDLINE,
		FEAT_EVENT_DESC,
	};
	bool all = !strcmp(s->metric, "instructions");
	struct file_attr a = {
		.attr = {
			.type = all ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE,
			.config = all ? PERF_COUNT_HW_INSTRUCTIONS :
				PERF_COUNT_SW_DUMMY,
			.size = sizeof(a.attr),
			.sample_period = 1,
			.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID |
				PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN,
			.mmap = 1,
			.comm = 1,
		},
	};
	struct file_header h = {
		.magic = MAGIC, .size = sizeof(h), .attr_size = sizeof(a),
		.attrs = { sizeof(h), sizeof(a) },
		.data = { .offset = sizeof(h) + sizeof(a) },
	};
	struct section at[ARRAY_SIZE(features)] = { 0 };
	struct insn_weight w;
	size_t i;
	int ret;

	insn_weight_of(s->metric, &w);
	/* again at the end, when all is known */
	fwrite(&h, sizeof(h), 1, f);
	fwrite(&a, sizeof(a), 1, f);
	put_comm(f, PROGRAM_ID, "ptelab");
	put_comm(f, OTHER_TASK_ID, "[another task]");
	ret = put_maps(f, s, p, folder, unknown);
	for (i = 0; i < s->region->nr_counts; i++)
		put_count(f, s, &w, &s->region->counts[i]);
	put_all_absent(f, s, p);
	h.data.size = ftell(f) - h.data.offset;
	fwrite(at, sizeof(at), 1, f);
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		h.features[0] |= 1ULL << features[i];
		at[i].offset = ftell(f);
		put_feature(f, features[i], s, &a.attr);
		at[i].size = ftell(f) - at[i].offset;
	}
	fseek(f, h.data.offset + h.data.size, SEEK_SET);
	fwrite(at, sizeof(at), 1, f);
	rewind(f);
	fwrite(&h, sizeof(h), 1, f);
	return ret;
}

int perf_data_write(const struct perf_side *s, const struct perf_images *p,
		    const char *folder, const char *name, const char **unknown)
{
	char *path = xasprintf("%s/%s", folder, name);
	int ret = make_dirs(folder), closed;
	FILE *f;

	*unknown = NULL;
	f = ret ? NULL : fopen(path, "we");
	if (f) {
		ret = put_file(f, s, p, folder, unknown);
		closed = close_file(f, path);
		ret = ret ? ret : closed;
	} else if (!ret) {
		ret = fail(errno, "%s: %s", path, strerror(errno));
	}
	free(path);
	return ret;
}
