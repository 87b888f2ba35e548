/* Asks for a domain's policy by libopendmarc, whose resolver state is automatic storage as it comes. */
#define _GNU_SOURCE
#include "host.h"
#include <opendmarc/dmarc.h>

static void dirty_stack(void)
{
    volatile unsigned char room[32768];
    for (size_t i = 0; i < sizeof room; i++)
        room[i] = 0xff;
}

int main(void)
{
    unsigned char address[] = "192.0.2.1", domain[] = "mail.test";
    for (int i = 0; i < 3; i++) {
        DMARC_POLICY_T *policy = opendmarc_policy_connect_init(address, 0);
        dirty_stack();
        OPENDMARC_STATUS_T status = opendmarc_policy_query_dmarc(policy, domain);
        if (status != DMARC_PARSE_OKAY)
            fail("no policy", status);
        opendmarc_policy_connect_shutdown(policy);
        looked_up();
    }
    printf("ok %d\n", lookups);
    return 0;
}
