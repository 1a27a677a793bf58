// SPDX-License-Identifier: GPL-2.0
/* See code.h. */
#include "bpf/retry/code.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/kernel.h"
#include "lib/util.h"

static int __printf(3, 4) say_why(char why[200], int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, 200, fmt, ap);
	va_end(ap);
	return -err;
}

void code_free(struct code *code)
{
	unsigned int i;

	for (i = 0; i < code->nr_parts; i++)
		free(code->part[i].bytes);
	code->nr_parts = 0;
}

static struct code_part *add_part(struct code *code, uint64_t start,
				  size_t size)
{
	struct code_part *p = &code->part[code->nr_parts++];

	p->start = start;
	p->size = size & ~3UL;
	p->bytes = xcalloc(1, p->size + 4);
	return p;
}

/* --- the running kernel --- */

/* Reads kernel memory through /proc/kcore, which is an ELF file. */
static int kcore_read(int fd, struct code_part *p)
{
	Elf64_Ehdr eh;
	Elf64_Phdr ph;
	unsigned int i;

	if (pread(fd, &eh, sizeof(eh), 0) != sizeof(eh))
		return -EIO;
	for (i = 0; i < eh.e_phnum; i++) {
		off_t at = eh.e_phoff + i * sizeof(ph);

		if (pread(fd, &ph, sizeof(ph), at) != sizeof(ph))
			return -EIO;
		if (ph.p_type != PT_LOAD || p->start < ph.p_vaddr ||
		    p->start + p->size > ph.p_vaddr + ph.p_memsz)
			continue;
		at = ph.p_offset + (p->start - ph.p_vaddr);
		if (pread(fd, p->bytes, p->size, at) != (ssize_t)p->size)
			return -EIO;
		return 0;
	}
	return -EFAULT;
}

int code_running(const char *function, struct code *code, char why[200])
{
	char *cold = xasprintf("%s.cold", function);
	const char *const names[] = { function, cold };
	struct kernel_symbol sym;
	unsigned int i;
	int fd, ret = 0;

	code->nr_parts = 0;
	fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		ret = errno;
		free(cold);
		return say_why(why, ret, ret == ENOENT ?
			       "the kernel's code can't be read: no /proc/kcore (CONFIG_PROC_KCORE)" :
			       "the kernel's code can't be read: /proc/kcore: %s",
			       strerror(ret));
	}
	for (i = 0; i < ARRAY_SIZE(names) && !ret; i++) {
		struct code_part *p;

		ret = kernel_symbol_find(names[i], &sym);
		if (ret == -ENOENT && i) {
			ret = 0;
			break;
		}
		if (ret == -ENOENT)
			say_why(why, ENOENT, "this kernel has no function %s",
				function);
		else if (ret)
			say_why(why, -ret, "the kernel's addresses are hidden (kernel.kptr_restrict)");
		if (ret)
			break;
		p = add_part(code, sym.start, sym.end - sym.start);
		ret = kcore_read(fd, p);
		if (ret)
			say_why(why, -ret, "/proc/kcore does not have the code of %s: %s",
				names[i], strerror(-ret));
	}
	close(fd);
	free(cold);
	if (ret)
		code_free(code);
	return ret;
}

int code_calls(const char *caller, const char *callee)
{
#ifdef __aarch64__
	struct kernel_symbol to;
	struct code code;
	unsigned int p;
	char why[200];
	int ret;

	ret = kernel_symbol_find(callee, &to);
	if (!ret)
		ret = code_running(caller, &code, why);
	if (ret)
		return ret;
	for (p = 0; p < code.nr_parts && !ret; p++) {
		const struct code_part *c = &code.part[p];
		size_t k;

		for (k = 0; k < c->size && !ret; k += 4) {
			uint32_t insn;

			memcpy(&insn, c->bytes + k, 4);
			/* b, bl: 26 bits of words */
			if ((insn & 0x7c000000) == 0x14000000 &&
			    c->start + k + ((int32_t)(insn << 6) >> 4) ==
			    to.start)
				ret = 1;
		}
	}
	code_free(&code);
	return ret;
#else
	(void)caller;
	(void)callee;
	return -ENOTSUP;
#endif
}

/* --- a vmlinux --- */

static bool find_symbol(Elf *elf, const char *name, GElf_Sym *found)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(elf, scn))) {
		Elf_Data *data = elf_getdata(scn, NULL);
		size_t i, n;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_SYMTAB ||
		    !data || !sh.sh_entsize)
			continue;
		n = sh.sh_size / sh.sh_entsize;
		for (i = 0; i < n; i++) {
			const char *s;

			if (!gelf_getsym(data, i, found) ||
			    GELF_ST_TYPE(found->st_info) != STT_FUNC)
				continue;
			s = elf_strptr(elf, sh.sh_link, found->st_name);
			if (s && !strcmp(s, name))
				return true;
		}
	}
	return false;
}

static bool read_symbol(Elf *elf, const GElf_Sym *sym, struct code *code)
{
	Elf_Scn *scn = elf_getscn(elf, sym->st_shndx);
	Elf_Data *data = scn ? elf_rawdata(scn, NULL) : NULL;
	GElf_Shdr sh;
	uint64_t at;
	struct code_part *p;

	if (!data || !gelf_getshdr(scn, &sh))
		return false;
	at = sym->st_value - sh.sh_addr;
	if (at > data->d_size || sym->st_size > data->d_size - at)
		return false;
	p = add_part(code, sym->st_value, sym->st_size);
	memcpy(p->bytes, (char *)data->d_buf + at, p->size);
	return true;
}

int code_elf(const char *path, const char *function, struct code *code,
	     char why[200])
{
	char *cold = xasprintf("%s.cold", function);
	GElf_Ehdr eh;
	GElf_Sym sym;
	Elf *elf = NULL;
	int fd, ret;

	code->nr_parts = 0;
	elf_version(EV_CURRENT);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (fd < 0)
		ret = say_why(why, errno, "%s: %s", path, strerror(errno));
	else if (!elf || !gelf_getehdr(elf, &eh))
		ret = say_why(why, EINVAL, "%s is not an ELF file such as vmlinux; an Image has no symbols", path);
	else if (eh.e_machine != EM_AARCH64)
		ret = say_why(why, EINVAL, "%s is not for arm64", path);
	else if (!find_symbol(elf, function, &sym))
		ret = say_why(why, ENOENT, "%s has no function %s", path,
			      function);
	else if (!read_symbol(elf, &sym, code))
		ret = say_why(why, EINVAL, "%s does not contain the code of %s",
			      path, function);
	else
		ret = 0;
	if (!ret && find_symbol(elf, cold, &sym))
		read_symbol(elf, &sym, code);
	elf_end(elf);
	if (fd >= 0)
		close(fd);
	free(cold);
	return ret;
}
