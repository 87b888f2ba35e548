/*
 * What src/abi/truth.rs takes for true, against the system's headers. TRUTH is the file that scripts/truth
 * takes out of the library's object file: assertions. To compile this is the whole test.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <langinfo.h>
#include <limits.h>
#include <link.h>
#include <locale.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <resolv.h>
#include <signal.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <nss.h>
#endif

#include <linux/futex.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>

#include "../../include/rustdns.h"

#include TRUTH
