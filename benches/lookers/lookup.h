/* What differs between one resolver and another: lookup.c has the rest. */
#ifndef LOOKUP_H
#define LOOKUP_H

/* Makes what one thread needs for its lookups; NULL where that is nothing. */
void *resolver_open(void);

/*
 * Looks up the IPv4 and IPv6 addresses of a name and forgets them. Returns how many there were, 0
 * for a name or addresses that don't exist, -1 for trouble.
 */
int resolver_lookup(void *resolver, const char *name);

void resolver_close(void *resolver);

#endif
