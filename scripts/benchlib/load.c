/* The load generator of scripts/bench: it must never be what limits a figure.
 *
 * Sending is sendfile() from a memfd that holds the body as it goes over the wire (chunk heads included); receiving is
 * recv(MSG_TRUNC), which discards in the kernel. So neither side touches a byte, except with -v, which reads and
 * compares everything and is used once before each measurement.
 *
 *   load stream -p PORT -u NAME -b BYTES [-c CHUNK] [-n RECEIVERS] [-t SECONDS] [-v] [-s STALL_AT -S STALL_SECONDS]
 *   load sink   -b BYTES [-c CHUNK] [-n RECEIVERS]       the same without a relay: the loader's own ceiling
 *   load small  -p PORT [-n PAIRS] [-d SECONDS]          10 byte transfers over kept connections; port 0: a stub
 *   load wait   -p PORT -n COUNT                         COUNT waiting receivers until stdin ends
 *
 * -k CPU keeps the whole loader on one CPU, so that it does not get in the relay's way.
 * One line of JSON on stdout: the figures, or {"error": ...} and exit status 1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PERIOD = 4096,        /* the payload repeats after this many bytes */
    BLOCK = 4 << 20,      /* payload bytes in the memfd: stays in the cache, which favours a relay that copies */
    BITE = 8 << 20,       /* most one sendfile or recv is asked for */
    HEAD = 8192,          /* longest response head accepted */
    TEXT = 4096,          /* longest whole response of a small transfer */
};

static struct {
    int port, receivers, timeout, verify;
    uint64_t bytes, chunk, stall_at;
    double stall, duration;
    const char *name;
    const char *query;  // follows ?n=
} opt = {.receivers = 1, .timeout = 60, .duration = 1, .name = "bench", .query = ""};

static char pattern[PERIOD];
static volatile uint64_t progress; /* bytes the first receiver has, for the message of a timeout */

/* ---- ends: every one is a line of JSON ---------------------------------------------------------------------------- */

static void fail(const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ') *c = ' ';
    char line[500];
    int length = snprintf(line, sizeof line, "{\"error\": \"%s\", \"bytes\": %llu}\n", text, (unsigned long long)progress);
    if (write(1, line, length) < 0) _exit(2);
    _exit(1);
}

static void on_alarm(int signal) {
    (void)signal;
    fail("did not finish in %d s", opt.timeout);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static double cpu_used(void) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_utime.tv_sec + use.ru_stime.tv_sec + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* ---- sockets: buffer sizes are left alone, since setting them turns autotuning off ----------------------------------- */

static int dial(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0) fail("socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) fail("connect: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static int listen_any(int *port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 1024)) fail("listen: %s", strerror(errno));
    getsockname(fd, (struct sockaddr *)&at, &length);
    *port = ntohs(at.sin_port);
    return fd;
}

static void say(int fd, const char *text, size_t length) {
    while (length) {
        ssize_t put = send(fd, text, length, MSG_NOSIGNAL);
        if (put < 0) fail("send: %s", strerror(errno));
        text += put, length -= put;
    }
}

static void watch(int epoll, int fd, uint32_t events, uint64_t which) {
    struct epoll_event event = {.events = events, .data.u64 = which};
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl: %s", strerror(errno));
}

/* ---- HTTP, as little as is needed --------------------------------------------------------------------------------- */

/* The value of a header in a head that ends in an empty line, or NULL. */
static const char *header(const char *head, const char *end, const char *name) {
    size_t length = strlen(name);
    for (const char *line = head; (line = memmem(line, end - line, "\r\n", 2)) && line + 2 + length < end;) {
        line += 2;
        if (!strncasecmp(line, name, length) && line[length] == ':') {
            for (line += length + 1; *line == ' '; line++) {}
            return line;
        }
    }
    return NULL;
}

static int is_chunked(const char *head, const char *end) {
    const char *value = header(head, end, "transfer-encoding");
    return value && !strncasecmp(value, "chunked", 7);
}

/* A chunked body taken apart byte by byte: payload goes to `take`, `ended` is set after the last CRLF. */
struct chunks {
    enum { SIZE, EXTENSION, DATA, DATA_END, TRAILER } state;
    uint64_t left, line; /* bytes left in the chunk; bytes in the current trailer line */
    int ended;
};

static size_t parse_chunks(struct chunks *c, const char *at, size_t length, void *who,
                           void (*take)(void *, const char *, size_t)) {
    const char *p = at, *end = at + length;
    while (p < end && !c->ended) {
        if (c->state == DATA) {
            size_t some = (uint64_t)(end - p) < c->left ? (size_t)(end - p) : c->left;
            take(who, p, some);
            p += some;
            if (!(c->left -= some)) c->state = DATA_END;
            continue;
        }
        char b = *p++;
        if (c->state == DATA_END) {
            if (b == '\n') c->state = SIZE;
            else if (b != '\r') fail("chunk does not end in CRLF");
        } else if (c->state == TRAILER) {
            if (b == '\n' && !c->line) c->ended = 1;
            else if (b == '\n') c->line = 0;
            else if (b != '\r') c->line++;
        } else if (b == '\n') {
            c->state = c->left ? DATA : TRAILER;
        } else if (b == ';' || b == '\r') {
            c->state = EXTENSION;
        } else if (c->state == SIZE) {
            int digit = b >= '0' && b <= '9' ? b - '0' : (b | 32) >= 'a' && (b | 32) <= 'f' ? (b | 32) - 'a' + 10 : -1;
            if (digit < 0) fail("byte %d in a chunk size", b);
            c->left = c->left * 16 + digit;
        }
    }
    return p - at;
}

static void drop(void *who, const char *at, size_t length) { (void)who, (void)at, (void)length; }

/* ---- the sender ------------------------------------------------------------------------------------------------------ */

/* The body as it goes over the wire: a memfd read round and round, then a trailer. */
static struct {
    int mem;
    uint64_t cycle, total; /* bytes in the memfd; bytes to send from it */
    const char *trailer;
} body;

static void build_body(void) {
    uint64_t chunk = opt.chunk ? opt.chunk : BLOCK, count = BLOCK / chunk;
    char head[32] = "";
    int length = opt.chunk ? snprintf(head, sizeof head, "%llx\r\n", (unsigned long long)chunk) : 0;
    uint64_t framed = length + chunk + (opt.chunk ? 2 : 0);
    if (BLOCK % chunk) fail("the chunk size must divide %d", BLOCK);
    if (opt.chunk) opt.bytes = (opt.bytes + chunk - 1) / chunk * chunk;
    body.cycle = framed * count;
    body.total = opt.chunk ? opt.bytes / chunk * framed : opt.bytes;
    body.trailer = opt.chunk ? "0\r\n\r\n" : "";
    if (body.cycle > body.total && opt.chunk) count = opt.bytes / chunk, body.cycle = framed * count;
    body.mem = memfd_create("body", MFD_CLOEXEC);
    if (body.mem < 0 || ftruncate(body.mem, body.cycle)) fail("memfd: %s", strerror(errno));
    char *map = mmap(NULL, body.cycle, PROT_READ | PROT_WRITE, MAP_SHARED, body.mem, 0), *at = map;
    if (map == MAP_FAILED) fail("mmap: %s", strerror(errno));
    for (uint64_t offset = 0; count--;) {
        at = mempcpy(at, head, length);
        for (uint64_t left = chunk; left;) {
            uint64_t some = PERIOD - offset % PERIOD;
            if (some > left) some = left;
            at = mempcpy(at, pattern + offset % PERIOD, some);
            offset += some, left -= some;
        }
        if (opt.chunk) at = mempcpy(at, "\r\n", 2);
    }
    munmap(map, body.cycle);
}

/* Reads the sender's response to its end; anything but a 200 without [ERROR] is a broken run. */
static void read_status(int fd) {
    static __thread char text[65536];
    struct chunks chunks = {0};
    size_t have = 0, done = 0;
    for (;;) {
        ssize_t got = recv(fd, text + have, sizeof text - 1 - have, 0);
        if (got <= 0) fail("the sender's response breaks off after %zu bytes: %.200s", have, text);
        text[have += got] = 0;
        char *end = strstr(text, "\r\n\r\n");
        if (!end) continue;
        if (strncmp(text, "HTTP/1.1 200", 12)) fail("the sender got: %.300s", text);
        if (strstr(text, "[ERROR]")) fail("the sender got: %.300s", strstr(text, "[ERROR]"));
        end += 4;
        if (is_chunked(text, end)) {
            if (!done) done = end - text;
            done += parse_chunks(&chunks, text + done, have - done, NULL, drop);
            if (chunks.ended) return;
        } else {
            const char *length = header(text, end, "content-length");
            if (!length) fail("the sender's response has no length");
            if (have >= (size_t)(end - text) + strtoull(length, NULL, 10)) return;
        }
    }
}

static double started; /* when the first sender's head went out */

static void send_body(int fd) {
    for (uint64_t sent = 0; sent < body.total;) {
        off_t offset = sent % body.cycle;
        uint64_t most = body.cycle - offset;
        if (most > body.total - sent) most = body.total - sent;
        ssize_t put = sendfile(fd, body.mem, &offset, most < BITE ? most : BITE);
        if (put < 0 && (errno == EPIPE || errno == ECONNRESET)) break; /* the response says why */
        if (put < 0) fail("sendfile: %s", strerror(errno));
        sent += put;
    }
    send(fd, body.trailer, strlen(body.trailer), MSG_NOSIGNAL);
}

static void *run_sender(void *argument) {
    int fd = (intptr_t)argument;
    char head[512];
    int length = snprintf(head, sizeof head, "PUT /%s?n=%d%s HTTP/1.1\r\nHost: bench\r\n", opt.name, opt.receivers, opt.query);
    length += opt.chunk ? snprintf(head + length, sizeof head - length, "Transfer-Encoding: chunked\r\n\r\n")
                        : snprintf(head + length, sizeof head - length, "Content-Length: %llu\r\n\r\n",
                                   (unsigned long long)opt.bytes);
    say(fd, head, length);
    send_body(fd);
    read_status(fd);
    return NULL;
}

static void *run_raw_sender(void *argument) {
    send_body((intptr_t)argument);
    return NULL;
}

/* ---- the receivers --------------------------------------------------------------------------------------------------- */

struct receiver {
    int fd, in_body, chunked, done;
    uint64_t want, got;     /* Content-Length, or 0; body bytes so far, framing included */
    uint64_t payload;       /* -v: payload bytes seen and compared */
    struct chunks chunks;   /* -v */
    char tail[7];           /* the last bytes of a chunked body */
};

static void compare(void *who, const char *at, size_t length) {
    struct receiver *r = who;
    while (length) {
        size_t phase = r->payload % PERIOD, some = PERIOD - phase < length ? PERIOD - phase : length;
        if (memcmp(at, pattern + phase, some)) fail("wrong content near byte %llu", (unsigned long long)r->payload);
        at += some, length -= some, r->payload += some;
    }
}

/* Takes the response head off the socket, nothing behind it. 0: not all there yet. */
static int read_head(struct receiver *r) {
    char head[HEAD + 1];
    ssize_t got = recv(r->fd, head, HEAD, MSG_PEEK);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) fail("a receiver lost its connection before the response head");
    head[got] = 0;
    char *end = strstr(head, "\r\n\r\n");
    if (!end && got == HEAD) fail("response head too long");
    if (!end) return 0;
    end += 4;
    if (strncmp(head, "HTTP/1.1 200", 12)) fail("a receiver got: %.300s", head);
    const char *length = header(head, end, "content-length");
    r->chunked = is_chunked(head, end);
    r->want = length ? strtoull(length, NULL, 10) : 0;
    if (!r->chunked && r->want != opt.bytes) fail("a receiver was promised %llu bytes", (unsigned long long)r->want);
    if (recv(r->fd, head, end - head, 0) != end - head) fail("response head vanished");
    return r->in_body = 1;
}

static void note_tail(struct receiver *r, const char *at, size_t length) {
    size_t keep = sizeof r->tail;
    if (length >= keep) {
        memcpy(r->tail, at + length - keep, keep);
    } else {
        memmove(r->tail, r->tail + length, keep - length);
        memcpy(r->tail + keep - length, at, length);
    }
    r->done = !memcmp(r->tail, "\r\n0\r\n\r\n", keep); /* the payload holds no CR, so this is the end */
}

/* One recv of body. A chunked body is longer than its payload, so its first opt.bytes hold no end and are discarded
 * unseen; what follows is looked at. 0: nothing there now. */
static int read_body(struct receiver *r) {
    static char scratch[1 << 20];
    int look = opt.verify || (r->chunked && r->got >= opt.bytes);
    uint64_t most = r->chunked ? (look ? BITE : opt.bytes - r->got) : r->want - r->got;
    uint64_t limit = look ? sizeof scratch : BITE;
    ssize_t got = recv(r->fd, look ? scratch : NULL, most < limit ? most : limit, look ? 0 : MSG_TRUNC);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) fail("a receiver lost its connection after %llu body bytes", (unsigned long long)r->got);
    r->got += got;
    if (opt.verify && r->chunked) {
        parse_chunks(&r->chunks, scratch, got, r, compare);
        r->done = r->chunks.ended;
    } else if (opt.verify) {
        compare(r, scratch, got);
        r->done = r->got == r->want;
    } else if (look) {
        note_tail(r, scratch, got);
    } else {
        r->done = !r->chunked && r->got == r->want;
    }
    return 1;
}

static void stall_once(uint64_t got) {
    if (!opt.stall || got < opt.stall_at) return;
    struct timespec pause = {.tv_sec = (time_t)opt.stall, .tv_nsec = (opt.stall - (time_t)opt.stall) * 1e9};
    opt.stall = 0;
    nanosleep(&pause, NULL);
}

/* Runs all receivers to their ends in one thread. */
static void drain(struct receiver *receivers) {
    int epoll = epoll_create1(EPOLL_CLOEXEC), open = opt.receivers;
    for (int i = 0; i < opt.receivers; i++) watch(epoll, receivers[i].fd, EPOLLIN, i);
    while (open) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            struct receiver *r = &receivers[events[i].data.u64];
            if (!r->in_body && !read_head(r)) continue;
            for (int turns = 4; turns-- && !r->done && read_body(r);) stall_once(r->got);
            if (r == receivers) progress = r->got;
            if (!r->done) continue;
            epoll_ctl(epoll, EPOLL_CTL_DEL, r->fd, NULL);
            open--;
        }
    }
}

/* What was received must be what was sent: the exact payload with -v or a length; else the exact framed bytes when the
 * relay keeps the sender's chunks, and at least the payload when it cuts its own. */
static const char *judge(struct receiver *receivers) {
    const char *framing = opt.chunk ? "as sent" : "length";
    for (int i = 0; i < opt.receivers; i++) {
        struct receiver *r = &receivers[i];
        if (opt.verify && r->payload != opt.bytes)
            fail("a receiver got %llu payload bytes", (unsigned long long)r->payload);
        if (r->chunked && r->got != body.total + strlen(body.trailer)) framing = "cut anew";
        if (r->got < opt.bytes) fail("a receiver got %llu bytes", (unsigned long long)r->got);
    }
    return framing;
}

static void stream(int relay) {
    struct receiver *receivers = calloc(opt.receivers, sizeof *receivers);
    pthread_t *senders = calloc(opt.receivers, sizeof *senders);
    int port, listener = relay ? -1 : listen_any(&port), count = relay ? 1 : opt.receivers;
    build_body();
    for (int i = 0; relay && i < opt.receivers; i++) {
        char head[512];
        int length = snprintf(head, sizeof head, "GET /%s?n=%d%s HTTP/1.1\r\nHost: bench\r\n\r\n", opt.name,
                              opt.receivers, opt.query);
        receivers[i].fd = dial(opt.port);
        say(receivers[i].fd, head, length);
    }
    started = now();
    double cpu = cpu_used();
    for (int i = 0; i < count; i++) {
        intptr_t fd = dial(relay ? opt.port : port);
        if (!relay) {
            uint64_t whole = body.total + strlen(body.trailer);
            receivers[i] = (struct receiver){.fd = accept(listener, NULL, NULL), .in_body = 1, .want = whole};
        }
        if (pthread_create(&senders[i], NULL, relay ? run_sender : run_raw_sender, (void *)fd)) fail("no thread");
    }
    drain(receivers);
    double seconds = now() - started;
    for (int i = 0; i < count; i++) pthread_join(senders[i], NULL);
    printf("{\"seconds\": %.6f, \"bytes\": %llu, \"receivers\": %d, \"framing\": \"%s\", \"loader_cpu\": %.3f}\n", seconds,
           (unsigned long long)opt.bytes, opt.receivers, relay ? judge(receivers) : "raw", cpu_used() - cpu);
}

/* ---- small transfers: pairs of kept connections, each pair its own loop ------------------------------------------------ */

struct side {
    int fd, ended;
    size_t have;
    char text[TEXT + 1];
};

struct pair {
    struct side in, out; /* the receiver, the sender */
    unsigned round;
};

struct found {
    char payload[16];
    size_t length;
};

static void collect(void *who, const char *at, size_t length) {
    struct found *f = who;
    if (f->length + length <= sizeof f->payload) memcpy(f->payload + f->length, at, length);
    f->length += length;
}

/* 1 when the response in `side` is complete; what its body holds is left in `found`. */
static int complete(struct side *side, struct found *found) {
    char *end = strstr(side->text, "\r\n\r\n");
    if (!end) return 0;
    end += 4;
    if (strncmp(side->text, "HTTP/1.1 200", 12)) fail("a small transfer got: %.300s", side->text);
    size_t rest = side->text + side->have - end, used;
    const char *length = header(side->text, end, "content-length");
    if (length) {
        used = strtoull(length, NULL, 10);
        if (rest < used) return 0;
        collect(found, end, used);
    } else if (is_chunked(side->text, end)) {
        struct chunks chunks = {0};
        used = parse_chunks(&chunks, end, rest, found, collect);
        if (!chunks.ended) return 0;
    } else {
        fail("a small transfer's response has no length");
    }
    if (rest != used) fail("bytes behind a response");
    return 1;
}

static void begin(struct pair *p, int index) {
    char get[128], put[192];
    p->in.have = p->out.have = p->in.ended = p->out.ended = 0;
    p->round++;
    int length = snprintf(get, sizeof get, "GET /s%d HTTP/1.1\r\nHost: bench\r\n\r\n", index);
    say(p->in.fd, get, length);
    length = snprintf(put, sizeof put, "PUT /s%d HTTP/1.1\r\nHost: bench\r\nContent-Length: 10\r\n\r\n%010u", index, p->round);
    say(p->out.fd, put, length);
}

/* Reads one side; 1 when that completed the pair's transfer. */
static int advance(struct pair *p, struct side *side) {
    ssize_t got = recv(side->fd, side->text + side->have, TEXT - side->have, 0);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) fail("a small transfer lost its %s", side == &p->in ? "receiver" : "sender");
    side->text[side->have += got] = 0;
    struct found found = {.length = 0};
    if (!complete(side, &found)) return 0;
    char expected[16];
    snprintf(expected, sizeof expected, "%010u", p->round);
    if (side == &p->in && (found.length != 10 || memcmp(found.payload, expected, 10))) fail("a small transfer got other bytes");
    side->ended = 1;
    return p->in.ended && p->out.ended;
}

/* Stands in for a relay: answers every request at once, which shows what the loader itself can do. */
static void *run_stub(void *argument) {
    static struct { int fd; unsigned round; } sides[1024];
    int listener = (intptr_t)argument, epoll = epoll_create1(EPOLL_CLOEXEC), count = 0;
    for (; count < 2 * opt.receivers; count++)
        watch(epoll, sides[count].fd = accept(listener, NULL, NULL), EPOLLIN, count);
    for (;;) {
        struct epoll_event events[64];
        int ready = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < ready; i++) {
            char text[256];
            int which = events[i].data.u64, length;
            if (recv(sides[which].fd, text, sizeof text, 0) <= 0) return NULL;
            if (*text == 'G')
                length = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n%010u", ++sides[which].round);
            else
                length = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
            say(sides[which].fd, text, length);
        }
    }
}

static void small(void) {
    int pairs = opt.receivers, epoll = epoll_create1(EPOLL_CLOEXEC), port = opt.port;
    struct pair *all = calloc(pairs, sizeof *all);
    uint64_t finished = 0;
    pthread_t stub;
    if (pairs > 512) fail("at most 512 pairs");
    if (!port && pthread_create(&stub, NULL, run_stub, (void *)(intptr_t)listen_any(&port))) fail("no thread");
    for (int i = 0; i < pairs; i++) {
        watch(epoll, all[i].in.fd = dial(port), EPOLLIN, 2 * i);
        watch(epoll, all[i].out.fd = dial(port), EPOLLIN, 2 * i + 1);
    }
    double cpu = cpu_used(), stop = (started = now()) + opt.duration;
    for (int i = 0; i < pairs; i++) begin(&all[i], i);
    for (int open = pairs; open;) { /* a pair stops after the transfer it is in when time is up */
        struct epoll_event events[64];
        int ready = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < ready; i++) {
            uint64_t which = events[i].data.u64;
            struct pair *p = &all[which / 2];
            if (!advance(p, which % 2 ? &p->out : &p->in)) continue;
            progress = 10 * ++finished;
            if (now() < stop) begin(p, which / 2);
            else open--;
        }
    }
    double seconds = now() - started;
    printf("{\"seconds\": %.6f, \"transfers\": %llu, \"loader_cpu\": %.3f}\n", seconds, (unsigned long long)finished,
           cpu_used() - cpu);
}

/* ---- waiting receivers ----------------------------------------------------------------------------------------------- */

static void wait_many(void) {
    char text[256];
    alarm(0);
    for (int i = 0; i < opt.receivers; i++) {
        int fd = dial(opt.port);
        say(fd, text, snprintf(text, sizeof text, "GET /waiting-%d HTTP/1.1\r\nHost: bench\r\n\r\n", i));
    }
    printf("{\"waiting\": %d}\n", opt.receivers);
    fflush(stdout);
    while (read(0, text, sizeof text) > 0) {}
}

static void stay_on(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set)) fail("cpu %d: %s", cpu, strerror(errno));
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    struct rlimit files;
    for (int flag; (flag = getopt(argc > 1 ? argc - 1 : argc, argv + (argc > 1), "p:u:q:b:c:n:t:d:s:S:k:v")) != -1;) {
        if (flag == 'p') opt.port = atoi(optarg);
        else if (flag == 'u') opt.name = optarg;
        else if (flag == 'q') opt.query = optarg;
        else if (flag == 'b') opt.bytes = strtoull(optarg, NULL, 10);
        else if (flag == 'c') opt.chunk = strtoull(optarg, NULL, 10);
        else if (flag == 'n') opt.receivers = atoi(optarg);
        else if (flag == 't') opt.timeout = atoi(optarg);
        else if (flag == 'd') opt.duration = atof(optarg);
        else if (flag == 's') opt.stall_at = strtoull(optarg, NULL, 10);
        else if (flag == 'S') opt.stall = atof(optarg);
        else if (flag == 'k') stay_on(atoi(optarg));
        else if (flag == 'v') opt.verify = 1;
        else return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* never outlive the bench */
    signal(SIGALRM, on_alarm);
    signal(SIGPIPE, SIG_IGN);
    alarm(opt.timeout);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    for (int i = 0; i < PERIOD; i++) pattern[i] = 'a' + (i * 7 + i / 61) % 26;
    if (!strcmp(mode, "stream")) stream(1);
    else if (!strcmp(mode, "sink")) stream(0);
    else if (!strcmp(mode, "small")) small();
    else if (!strcmp(mode, "wait")) wait_many();
    else fail("unknown mode");
    return 0;
}
