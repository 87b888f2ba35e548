// rustdns.h in C++: it compiles without a warning, links, and its functions take part in RAII.
#include "rustdns.h"

#include <cstdio>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <string>
#include <vector>

struct Free {
    void operator()(addrinfo *list) const { rustdns_freeaddrinfo(list); }
};

static std::vector<std::string> resolve(const char *name)
{
    addrinfo hints = addrinfo();
    hints.ai_socktype = SOCK_STREAM;
    addrinfo *raw = nullptr;
    std::vector<std::string> texts;
    if (rustdns_getaddrinfo(name, nullptr, &hints, &raw) != 0)
        return texts;
    std::unique_ptr<addrinfo, Free> list(raw);
    for (const addrinfo *node = list.get(); node != nullptr; node = node->ai_next) {
        char host[NI_MAXHOST];
        if (rustdns_getnameinfo(node->ai_addr, node->ai_addrlen, host, sizeof host, nullptr, 0,
                                NI_NUMERICHOST) == 0)
            texts.push_back(host);
    }
    return texts;
}

static void count(void *ctx, int, const char *)
{
    ++*static_cast<int *>(ctx);
}

int main()
{
    int lines = 0;
    rustdns_statistics stats = rustdns_statistics();
    stats.size = sizeof stats;
    if (rustdns_set_log(count, &lines) != 0 || resolve("host.test").size() != 2 || lines == 0)
        return 1;
    if (rustdns_stats(&stats) != 0 || stats.queries != 2)
        return 2;
    // Exceptions of the program's own still work where the library brings its unwinder along.
    try {
        throw std::string("caught");
    } catch (const std::string &text) {
        std::printf("api: %s\n", text == "caught" ? "ok" : "no");
    }
    return std::strcmp(rustdns_version(), RUSTDNS_VERSION) == 0 ? 0 : 3;
}
