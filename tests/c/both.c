/* A program with two libraries in Rust inside: rustdns and other.rs. */
#include <netdb.h>
#include <rustdns.h>
#include <stdio.h>

int other_length(const char *);

int main(void)
{
    struct addrinfo *list = NULL;
    struct rustdns_statistics numbers = {.size = sizeof numbers};
    int code = getaddrinfo("host.test", "80", NULL, &list);
    if (!code)
        freeaddrinfo(list);
    rustdns_stats(&numbers);
    printf("code %d, asked %d, %d, %d\n", code, (int)numbers.cache_misses, other_length("four"), other_length(""));
    return 0;
}
