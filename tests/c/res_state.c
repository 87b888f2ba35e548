/* Prints where libc's headers have the fields of struct __res_state that the library reads and fills. */
#include <resolv.h>
#include <stddef.h>
#include <stdio.h>

#define AT(field) printf(#field " %zu %zu\n", offsetof(struct __res_state, field), sizeof ((struct __res_state *)0)->field)

int main(void)
{
    AT(retrans);
    AT(retry);
    AT(options);
    AT(nscount);
    AT(nsaddr_list);
    AT(id);
    AT(dnsrch);
    AT(defdname);
    AT(pfcode);
    AT(sort_list);
    AT(res_h_errno);
    AT(_vcsock);
    AT(_flags);
    AT(_u);
    AT(_u._ext.nscount);
    AT(_u._ext.nsmap);
    AT(_u._ext.nssocks);
    AT(_u._ext.nscount6);
    AT(_u._ext.nsinit);
    AT(_u._ext.nsaddrs);
    printf("all %zu %zu\n", sizeof(struct __res_state), _Alignof(struct __res_state));
    return 0;
}
