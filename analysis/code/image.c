// SPDX-License-Identifier: GPL-2.0
/* See image.h. */
#include "analysis/code/image.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util.h"

#ifndef SHT_RELR
#define SHT_RELR	19
#endif

size_t image_lower_bound(const void *table, size_t nr, size_t size,
			 uint64_t addr)
{
	size_t lo = 0, hi = nr;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (*(const uint64_t *)((const char *)table + mid * size) < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* --- sections --- */

/* Not by image_lower_bound(), which needs the address as the first member. */
const struct image_section *image_section(const struct image *img,
					  uint64_t addr)
{
	size_t lo = 0, hi = img->nr_sections;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (img->sections[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == img->nr_sections || addr < img->sections[lo].start)
		return NULL;
	return &img->sections[lo];
}

const unsigned char *image_bytes(const struct image *img, uint64_t addr,
				 size_t len)
{
	const struct image_section *s = image_section(img, addr);

	if (!s || !s->bytes || len > s->end - addr)
		return NULL;
	return s->bytes + (addr - s->start);
}

static int by_start(const void *a, const void *b)
{
	const struct image_section *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static int take_sections(struct image *img, Elf *elf, size_t names)
{
	size_t size, i;
	const char *raw = elf_rawfile(elf, &size);
	Elf_Scn *scn = NULL;
	GElf_Ehdr eh;
	GElf_Shdr sh;

	/* libelf treats such a file as one without sections */
	if (!raw || !gelf_getehdr(elf, &eh) || eh.e_shoff > size ||
	    (uint64_t)eh.e_shnum * eh.e_shentsize > size - eh.e_shoff)
		return -EBADMSG;
	while ((scn = elf_nextscn(elf, scn))) {
		struct image_section *s;

		if (!gelf_getshdr(scn, &sh))
			return -EBADMSG;
		if (sh.sh_type != SHT_NOBITS && (sh.sh_offset > size ||
		    sh.sh_size > size - sh.sh_offset))
			return -EBADMSG;
		if (!(sh.sh_flags & SHF_ALLOC) || !sh.sh_size ||
		    (sh.sh_flags & SHF_TLS))
			continue;
		img->sections = grow(img->sections, img->nr_sections,
				     sizeof(*s));
		s = &img->sections[img->nr_sections++];
		s->name = elf_strptr(elf, names, sh.sh_name);
		s->start = sh.sh_addr;
		s->end = sh.sh_addr + sh.sh_size;
		s->bytes = sh.sh_type == SHT_NOBITS ? NULL :
			(const unsigned char *)raw + sh.sh_offset;
		s->code = sh.sh_flags & SHF_EXECINSTR;
		if (!s->name || s->end < s->start)
			return -EBADMSG;
	}
	if (img->nr_sections)
		qsort(img->sections, img->nr_sections, sizeof(*img->sections),
		      by_start);
	for (i = 1; i < img->nr_sections; i++)
		if (img->sections[i].start < img->sections[i - 1].end)
			return -EBADMSG;
	return 0;
}

/* --- symbols --- */

static void take_symbol(struct image *img, const GElf_Sym *sym,
			const char *name, const char *file)
{
	unsigned int type = GELF_ST_TYPE(sym->st_info);
	struct image_symbol *s;

	if (type > STT_FUNC || sym->st_shndx == SHN_UNDEF ||
	    !*name || (sym->st_shndx == SHN_ABS && !(sym->st_value >> 32)) ||
	    *name == '$' || !strncmp(name, ".L", 2))
		return;
	img->symbols = grow(img->symbols, img->nr_symbols, sizeof(*s));
	s = &img->symbols[img->nr_symbols++];
	s->name = name;
	s->global = GELF_ST_BIND(sym->st_info) != STB_LOCAL;
	s->file = s->global ? "" : file;
	s->start = sym->st_value;
	s->end = sym->st_value + sym->st_size;
	if (s->end < s->start)
		s->end = s->start;
	s->function = type == STT_FUNC;
	s->object = type == STT_OBJECT;
}

static int symbol_order(const void *a, const void *b)
{
	const struct image_symbol *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	/*
	 * first symbols with a size, then those that other files can refer to
	 */
	if ((x->end > x->start) != (y->end > y->start))
		return x->end > x->start ? -1 : 1;
	if (x->function != y->function)
		return x->function ? -1 : 1;
	if (x->global != y->global)
		return x->global ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int take_symbols(struct image *img, Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	GElf_Sym sym;
	size_t i;

	while ((scn = elf_nextscn(elf, scn))) {
		const char *file = "", *name;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_SYMTAB ||
		    sh.sh_entsize != sizeof(Elf64_Sym))
			continue;
		data = elf_getdata(scn, NULL);
		for (i = 0; data && i < sh.sh_size / sh.sh_entsize; i++) {
			if (!gelf_getsym(data, i, &sym))
				return -EBADMSG;
			name = elf_strptr(elf, sh.sh_link, sym.st_name);
			if (!name)
				return -EBADMSG;
			if (GELF_ST_TYPE(sym.st_info) == STT_FILE)
				file = strrchr(name, '/') ?
					strrchr(name, '/') + 1 : name;
			else
				take_symbol(img, &sym, name, file);
		}
	}
	if (img->nr_symbols)
		qsort(img->symbols, img->nr_symbols, sizeof(*img->symbols),
		      symbol_order);
	return 0;
}

size_t image_symbols_from(const struct image *img, uint64_t addr)
{
	size_t lo = 0, hi = img->nr_symbols;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (img->symbols[mid].start < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct image_symbol *image_object(const struct image *img,
					uint64_t addr)
{
	size_t i = image_symbols_from(img, addr + 1), seen = 0;

	/* An object may contain labels without a size, but not many. */
	while (i-- && seen++ < 64) {
		const struct image_symbol *s = &img->symbols[i];

		if (s->end > addr && s->object)
			break;
		if (s->end > s->start && s->end <= addr)
			return NULL;
	}
	if (i == SIZE_MAX || seen > 64)
		return NULL;
	/* the first of several names */
	while (i && img->symbols[i - 1].start == img->symbols[i].start &&
	       img->symbols[i - 1].end > addr && img->symbols[i - 1].object)
		i--;
	return &img->symbols[i];
}

const struct image_symbol *image_named(const struct image *img,
				       const char *name)
{
	size_t i;

	for (i = 0; i < img->nr_symbols; i++)
		if (!strcmp(img->symbols[i].name, name))
			return &img->symbols[i];
	return NULL;
}

/* --- functions --- */

#define A64_NOP	0xd503201f

/* Returns the end without the padding before the next symbol. */
static uint64_t without_padding(const struct image *img, uint64_t start,
				uint64_t end)
{
	const unsigned char *p = image_bytes(img, start, end - start);
	uint32_t w;

	for (; p && end > start; end -= 4) {
		memcpy(&w, p + (end - 4 - start), 4);
		if (w && w != A64_NOP)
			break;
	}
	return end;
}

/*
 * Divides the code into functions by its symbols. A symbol with a size is a
 * function to its end, whatever labels it contains. Assembly without sizes is
 * divided from one label to the next symbol.
 */
static void cut_functions(struct image *img)
{
	const struct image_section *sec = NULL;
	size_t i;

	for (i = 0; i < img->nr_symbols; i++) {
		const struct image_symbol *s = &img->symbols[i];
		struct image_function *f = img->nr_functions ?
			&img->functions[img->nr_functions - 1] : NULL;
		uint64_t end = s->end;
		size_t k;

		if (!sec || s->start < sec->start || s->start >= sec->end)
			sec = image_section(img, s->start);
		if (!sec || !sec->code || s->start & 3 ||
		    (f && s->start < f->end))
			continue;
		if (end == s->start) {
			for (k = i; k < img->nr_symbols &&
			     img->symbols[k].start == s->start; k++)
				;
			end = k < img->nr_symbols &&
			      img->symbols[k].start < sec->end ?
				img->symbols[k].start : sec->end;
			end = without_padding(img, s->start, end & ~3ULL);
			/* a label, or the hypervisor's table within its code */
			if (end == s->start || strstr(s->name, "ex_table"))
				continue;
		}
		if (end > sec->end)
			end = sec->end;
		img->functions = grow(img->functions, img->nr_functions,
				      sizeof(*f));
		img->functions[img->nr_functions++] = (struct image_function){
			s->name, s->file, s->start, end & ~3ULL };
	}
}

long image_function(const struct image *img, uint64_t addr)
{
	size_t lo = 0, hi = img->nr_functions;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (img->functions[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || addr >= img->functions[lo - 1].end)
		return -1;
	return lo - 1;
}

/*
 * The functions of the kernel's tools/objtool/noreturns.h that arm64 code
 * calls.
 */
static const char *const noreturns[] = {
	"__fortify_panic", "__module_put_and_kthread_exit", "__stack_chk_fail",
	"arm64_serror_panic", "cpu_startup_entry", "do_exit", "do_group_exit",
	"do_task_dead", "hyp_panic", "__kvm_nvhe_hyp_panic", "kthread_exit",
	"kthread_complete_and_exit", "make_task_dead", "panic",
	"panic_bad_stack", "rest_init", "rewind_stack_and_make_dead",
	"start_kernel", "usercopy_abort",
};

static void find_noreturns(struct image *img)
{
	size_t i, k;

	for (i = 0; i < img->nr_functions; i++) {
		for (k = 0; k < ARRAY_SIZE(noreturns); k++) {
			if (strcmp(img->functions[i].name, noreturns[k]))
				continue;
			img->noreturns = grow(img->noreturns,
					      img->nr_noreturns,
					      sizeof(*img->noreturns));
			img->noreturns[img->nr_noreturns++] =
				img->functions[i].start;
		}
	}
}

/* --- pointers --- */

static void add_reloc(struct image *img, uint64_t at, uint64_t to)
{
	img->relocs = grow(img->relocs, img->nr_relocs, sizeof(*img->relocs));
	img->relocs[img->nr_relocs++] = (struct image_reloc){ at, to };
}

static void take_rela(struct image *img, Elf_Data *data, size_t nr)
{
	GElf_Rela r;
	size_t i;

	for (i = 0; i < nr; i++)
		if (gelf_getrela(data, i, &r) &&
		    GELF_R_TYPE(r.r_info) == R_AARCH64_RELATIVE)
			add_reloc(img, r.r_offset, r.r_addend);
}

/* These relocations have their addend in place. */
static void relr_at(struct image *img, uint64_t at)
{
	const unsigned char *p = image_bytes(img, at, 8);
	uint64_t to;

	if (!p)
		return;
	memcpy(&to, p, 8);
	add_reloc(img, at, to);
}

static void take_relr(struct image *img, const Elf_Data *data)
{
	const unsigned char *p = data->d_buf;
	uint64_t at = 0, word;
	size_t i;
	int bit;

	for (i = 0; i + 8 <= data->d_size; i += 8) {
		memcpy(&word, p + i, 8);
		if (!(word & 1)) {
			relr_at(img, word);
			at = word + 8;
			continue;
		}
		for (bit = 0; bit < 63; bit++)
			if (word >> (bit + 1) & 1)
				relr_at(img, at + bit * 8);
		at += 63 * 8;
	}
}

static void take_relocs(struct image *img, Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || !(sh.sh_flags & SHF_ALLOC) ||
		    (sh.sh_type != SHT_RELA && sh.sh_type != SHT_RELR))
			continue;
		data = elf_getdata(scn, NULL);
		if (!data)
			continue;
		img->relocatable = true;
		if (sh.sh_type == SHT_RELR)
			take_relr(img, data);
		else if (sh.sh_entsize)
			take_rela(img, data, sh.sh_size / sh.sh_entsize);
	}
	if (img->nr_relocs)
		qsort(img->relocs, img->nr_relocs, sizeof(*img->relocs), cmp_u64);
}

bool image_pointer(const struct image *img, uint64_t addr, uint64_t *to)
{
	const unsigned char *p;
	size_t i;

	if (img->relocatable) {
		i = image_first(img->relocs, img->nr_relocs, addr);
		if (i == img->nr_relocs || img->relocs[i].at != addr)
			return false;
		*to = img->relocs[i].to;
		return true;
	}
	/*
	 * linked for a fixed address: a word that looks like one of its
	 * addresses is one
	 */
	p = addr & 7 ? NULL : image_bytes(img, addr, 8);
	if (!p)
		return false;
	memcpy(to, p, 8);
	return *to >> 32 && image_section(img, *to);
}

/* --- all of it --- */

static int check_kind(const char *path, Elf *elf)
{
	GElf_Ehdr eh;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &eh))
		return fail(EINVAL, "%s: no ELF file; give a vmlinux, or a folder with one",
			    path);
	if (eh.e_machine != EM_AARCH64 || eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_ident[EI_DATA] != ELFDATA2LSB)
		return fail(EINVAL, "%s: a file for %s; only little-endian arm64 kernels can be compared",
			    path, eh.e_machine == EM_X86_64 ? "x86-64" :
			    eh.e_machine == EM_AARCH64 ? "another arm64" :
			    "another processor");
	if (eh.e_type != ET_EXEC && eh.e_type != ET_DYN)
		return fail(EINVAL, "%s: not linked; give a vmlinux, not an object file or a module",
			    path);
	return 0;
}

static int take_all(struct image *img)
{
	Elf *elf = img->elf;
	size_t names;
	int ret = check_kind(img->path, elf);

	if (ret)
		return ret;
	if (elf_getshdrstrndx(elf, &names) || take_sections(img, elf, names) ||
	    take_symbols(img, elf))
		return fail(EBADMSG, "%s: damaged or cut short; build or copy it again",
			    img->path);
	cut_functions(img);
	if (!img->nr_functions)
		return fail(EINVAL, "%s: no symbols; give the vmlinux of the build, not a stripped one",
			    img->path);
	find_noreturns(img);
	take_relocs(img, elf);
	image_take_tables(img);
	return 0;
}

struct image *image_load(const char *path)
{
	struct image *img = xcalloc(1, sizeof(*img));

	img->path = xstrdup(path);
	elf_version(EV_CURRENT);
	img->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (img->fd < 0) {
		fail(errno, "%s: %s", path, strerror(errno));
		image_free(img);
		return NULL;
	}
	img->elf = elf_begin(img->fd, ELF_C_READ_MMAP, NULL);
	if (!img->elf || take_all(img)) {
		if (!img->elf)
			fail(EINVAL, "%s: no ELF file; give a vmlinux, or a folder with one",
			     path);
		image_free(img);
		return NULL;
	}
	return img;
}

void image_free(struct image *img)
{
	if (!img)
		return;
	elf_end(img->elf);
	if (img->fd >= 0)
		close(img->fd);
	free(img->sections);
	free(img->symbols);
	free(img->functions);
	free(img->noreturns);
	free(img->alts);
	free(img->jumps);
	free(img->bugs);
	free(img->extables);
	free(img->relocs);
	free(img->path);
	free(img);
}
