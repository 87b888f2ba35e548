// Names are looked up by destructors: while an exception is on its way, and while a cancelled thread's
// stack is unwound. Prints "ok N", or ends with 1.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <netdb.h>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

static std::atomic<int> lookups;

static int look_up(const std::string &name)
{
    addrinfo hints{}, *list = nullptr;
    hints.ai_family = AF_INET;
    int code = getaddrinfo(name.c_str(), "80", &hints, &list);
    if (code == 0) {
        freeaddrinfo(list);
        lookups++;
    }
    return code;
}

struct Last {
    std::string name;
    ~Last()
    {
        if (look_up(name) != 0)
            _exit(1);
    }
};

static void thrower(int depth)
{
    Last last{"n" + std::to_string(depth) + ".test"};
    if (depth == 0)
        throw std::runtime_error("deep");
    thrower(depth - 1);
}

static std::atomic<bool> ready;

static void *cancelled(void *)
{
    Last last{"n77.test"};
    for (unsigned i = 0;; i++) {
        ready = true;
        try {
            look_up("n" + std::to_string(i % 60000) + ".test");
        } catch (const std::exception &) {
            _exit(1); // nothing of the library's may come here; a cancellation isn't one
        }
    }
    return nullptr;
}

int main()
{
    for (int i = 0; i < 20; i++) {
        try {
            thrower(30);
            return 1;
        } catch (const std::runtime_error &) {
            if (look_up("n1.test") != 0)
                return 1;
        }
    }
    for (int i = 0; i < 50; i++) {
        pthread_t thread;
        void *result;
        ready = false;
        int before = lookups;
        if (pthread_create(&thread, nullptr, cancelled, nullptr) != 0)
            return 1;
        while (!ready)
            usleep(100);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        if (result != PTHREAD_CANCELED || lookups == before)
            return 1;
    }
    std::printf("ok %d\n", lookups.load());
}
