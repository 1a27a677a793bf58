// SPDX-License-Identifier: GPL-2.0
/*
 * The disassembler is only needed to print A64 instructions. A static link
 * would include its tables for all other processors, four megabytes. These
 * stubs replace them.
 */
#include <capstone/capstone.h>

#define NOT_HERE(arch)							\
	cs_err arch##_global_init(void *ud);				\
	cs_err arch##_global_init(void *ud)				\
	{								\
		(void)ud;						\
		return CS_ERR_ARCH;					\
	}								\
	cs_err arch##_option(csh handle, cs_opt_type type, size_t v);	\
	cs_err arch##_option(csh handle, cs_opt_type type, size_t v)	\
	{								\
		(void)handle;						\
		(void)type;						\
		(void)v;						\
		return CS_ERR_ARCH;					\
	}

NOT_HERE(ARM)
NOT_HERE(EVM)
NOT_HERE(M680X)
NOT_HERE(M68K)
NOT_HERE(Mips)
NOT_HERE(PPC)
NOT_HERE(Sparc)
NOT_HERE(SystemZ)
NOT_HERE(TMS320C64x)
NOT_HERE(X86)
NOT_HERE(XCore)
