/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results that kernel.c remembers, because libbpf would compute them again for
 * each object and each program. With ld --wrap (see Makefile.inc), libbpf's
 * calls of these functions go to __wrap_NAME, and __real_NAME is libbpf's own.
 */
#ifndef PTELAB_BPF_ONCE_H
#define PTELAB_BPF_ONCE_H

#include <bpf/btf.h>

struct btf *__real_btf__load_vmlinux_btf(void);
struct btf *__wrap_btf__load_vmlinux_btf(void);
void __real_btf__free(struct btf *btf);
void __wrap_btf__free(struct btf *btf);
__s32 __real_btf__find_by_name_kind(const struct btf *btf, const char *name,
				    __u32 kind);
__s32 __wrap_btf__find_by_name_kind(const struct btf *btf, const char *name,
				    __u32 kind);

#endif
