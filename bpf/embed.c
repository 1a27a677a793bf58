// SPDX-License-Identifier: GPL-2.0
/* See embed.h. BPF_DIR comes from Makefile.inc. */
#include "bpf/embed.h"

#define EMBED(name, file)			\
	asm(".section .rodata\n"		\
	    ".balign 16\n"			\
	    ".globl " #name "\n"		\
	    #name ":\n"				\
	    ".incbin \"" BPF_DIR "/" file "\"\n"	\
	    ".globl " #name "_end\n"		\
	    #name "_end:\n"			\
	    ".byte 0\n"				\
	    ".previous\n")

EMBED(bpf_object_all, "ptelab.bpf.o");
EMBED(bpf_object_filtered, "ptelab-filtered.bpf.o");
