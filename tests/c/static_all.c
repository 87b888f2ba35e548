/* Takes the address of every function that a static libc keeps in one object with one that librustdns
 * replaces, beside all of those: a name that the archive lacked would pull in libc's object, and the
 * linker would find the others twice. Prints how many there are.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>

#include "rustdns.h"

static void *const volatile functions[] = {
    /* getaddrinfo.o, getnameinfo.o, gai_strerror.o */
    getaddrinfo, freeaddrinfo, getnameinfo, (void *)gai_strerror,
    /* getaddrinfo_a.o, gai_suspend.o, gai_error.o, gai_cancel.o */
    getaddrinfo_a, gai_suspend, gai_error, gai_cancel,
    /* gethstbynm.o and relatives, herror.o */
    gethostbyname, gethostbyname2, gethostbyaddr, gethostbyname_r, gethostbyname2_r, gethostbyaddr_r,
    gethostent, gethostent_r, sethostent, endhostent, herror, (void *)hstrerror, __h_errno_location,
    /* res_query.o, res_init.o, res_mkquery.o, res_send.o, res_close.o */
    res_init, res_query, res_search, res_querydomain, res_mkquery, res_send, res_ninit, res_nquery,
    res_nsearch, res_nquerydomain, res_nmkquery, res_nsend, res_nclose, __res_state,
    /* what stays libc's, and is used beside */
    dn_expand, dn_comp, dn_skipname, ns_name_uncompress, (void *)inet_ntop, inet_pton,
    /* ours */
    rustdns_getaddrinfo, rustdns_getnameinfo, rustdns_freeaddrinfo, (void *)rustdns_gai_strerror,
    rustdns_reload, rustdns_cache_flush, rustdns_stats, rustdns_set_log, (void *)rustdns_version,
};

int main(void)
{
    size_t count = 0;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        count += functions[i] != NULL;
    printf("%zu of %zu\n", count, sizeof functions / sizeof *functions);
    return count != sizeof functions / sizeof *functions;
}
