/* An NSS module that takes its process down, as a wrong module does: every host lookup writes to
 * address 0x46. Functions and signatures as nss(5) and <nss.h> want them.
 *
 *     cc -shared -fPIC -Wl,-soname,libnss_crash.so.2 -o libnss_crash.so.2 demo/nss_crash.c
 */
#include <netdb.h>
#include <nss.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct gaih_addrtuple;

static enum nss_status crash(void)
{
    /* Volatile, twice: neither the address nor the store may be reasoned away. */
    volatile uintptr_t address = 0x46;
    *(volatile char *)address = 1;
    return NSS_STATUS_UNAVAIL;
}

enum nss_status _nss_crash_gethostbyname4_r(const char *name, struct gaih_addrtuple **tuple,
                                            char *buffer, size_t length, int *error,
                                            int *host_error, int32_t *ttl)
{
    (void)name, (void)tuple, (void)buffer, (void)length, (void)error, (void)host_error, (void)ttl;
    return crash();
}

enum nss_status _nss_crash_gethostbyname3_r(const char *name, int family, struct hostent *host,
                                            char *buffer, size_t length, int *error,
                                            int *host_error, int32_t *ttl, char **canonical)
{
    (void)name, (void)family, (void)host, (void)buffer, (void)length, (void)error;
    (void)host_error, (void)ttl, (void)canonical;
    return crash();
}

enum nss_status _nss_crash_gethostbyname2_r(const char *name, int family, struct hostent *host,
                                            char *buffer, size_t length, int *error,
                                            int *host_error)
{
    (void)name, (void)family, (void)host, (void)buffer, (void)length, (void)error;
    (void)host_error;
    return crash();
}

enum nss_status _nss_crash_gethostbyname_r(const char *name, struct hostent *host, char *buffer,
                                           size_t length, int *error, int *host_error)
{
    (void)name, (void)host, (void)buffer, (void)length, (void)error, (void)host_error;
    return crash();
}

enum nss_status _nss_crash_gethostbyaddr_r(const void *address, socklen_t size, int family,
                                           struct hostent *host, char *buffer, size_t length,
                                           int *error, int *host_error)
{
    (void)address, (void)size, (void)family, (void)host, (void)buffer, (void)length, (void)error;
    (void)host_error;
    return crash();
}
