/* What the files that implement the core's imports have in common.

   Calls that can fail return a number that is not negative, or a fault: a class, which the core goes
   by, and the system's errno, which it passes on. */

#ifndef RUSTDNS_SYSTEM_H
#define RUSTDNS_SYSTEM_H

#include "portable.h"

typedef struct Z_rustdns_sys_instance_t sys_t;
/* An import's name in core.c. */
#define SYS(name) Z_rustdns_sysZ_##name

HIDDEN u32 system_fault(int error);
/* A system call's result, or the fault in errno. */
HIDDEN u32 system_result(long result);
/* A new descriptor, noted in case the instance has to be thrown away; or the fault in errno. */
HIDDEN u32 system_opened(sys_t *, int descriptor);

#define RETRY(result, call)                                                                        \
  do                                                                                               \
    result = (call);                                                                               \
  while (result < 0 && errno == EINTR)

/* interfaces.c: the name of the interface with this index; 0 where there is none. */
#include <net/if.h>
HIDDEN int interface_name(uint32_t index, char name[IF_NAMESIZE]);

#endif
