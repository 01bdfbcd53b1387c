#include "grpc/grpc_channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/go_text.h"
#include "base/random.h"

/* Pings of the peer that come while no call is under way are answered within this. */
#define TICK_NS NS_PER_S
/* grpc-go's: an attempt, and the pauses between attempts. */
#define ATTEMPT_NS (20 * NS_PER_S)
#define BACKOFF_FIRST_NS NS_PER_S
#define BACKOFF_MAX_NS (120 * NS_PER_S)

/* ---------------------------------------------------------------- links */

static void tick(struct worker_timer *t) {
    struct grpc_link *link = container_of(t, struct grpc_link, tick);
    struct worker *w = worker_self();
    h2_session_tick(link->h2);
    worker_timer_start(w, t, worker_now_ns(w) + TICK_NS, tick);
}

static struct grpc_link *link_new(struct conn *conn) {
    struct grpc_link *link = xcalloc(1, sizeof *link);
    struct worker *w = worker_self();
    link->refs = 1;
    link->conn = conn;
    link->h2 = h2_session_new_paced(conn);
    worker_timer_start(w, &link->tick, worker_now_ns(w) + TICK_NS, tick);
    return link;
}

void grpc_link_unref(struct grpc_link *link) {
    if (!link || --link->refs)
        return;
    worker_timer_stop(worker_self(), &link->tick);
    h2_session_free(link->h2);
    conn_close(link->conn);
    free(link);
}

/* ---------------------------------------------------------------- addresses */

static struct slice without_scheme(struct slice address) {
    static const struct slice schemes[] = {SLICE("dns:///"), SLICE("passthrough:///"),
                                           SLICE("dns:"), SLICE("passthrough:")};
    for (size_t i = 0; i < countof(schemes); i++) {
        if (slice_starts(address, schemes[i]))
            return slice_from(address.ptr + schemes[i].len, address.len - schemes[i].len);
    }
    return address;
}

/* Go's net.SplitHostPort; the reason when it refuses. */
static const char *split(struct slice address, struct slice *host, struct slice *port) {
    const char *colon = NULL;
    for (size_t i = address.len; i-- > 0 && !colon;) {
        if (address.ptr[i] == ':')
            colon = address.ptr + i;
    }
    if (!colon)
        return "missing port in address";
    *host = slice_from(address.ptr, (size_t)(colon - address.ptr));
    *port = slice_from(colon + 1, address.len - host->len - 1);
    if (host->len && host->ptr[0] == '[') {
        if (host->ptr[host->len - 1] != ']')
            return "missing ']' in address";
        *host = slice_from(host->ptr + 1, host->len - 2);
    } else if (memchr(host->ptr, ':', host->len)) {
        return "too many colons in address";
    }
    return NULL;
}

static void take_address(struct grpc_channel *ch, const struct grpc_channel_params *p) {
    struct slice address = without_scheme(p->address), host = SLICE(""), port = SLICE("");
    struct slice authority = p->authority.len ? p->authority : address;
    struct slice name = SLICE(""), ignored;
    uint64_t number = 0;
    const char *why = split(address, &host, &port);
    if (!why && (!slice_to_u64(port, &number) || number > UINT16_MAX))
        why = "invalid port";
    if (why)
        ch->bad_address = xasprintf("dial tcp: address %.*s: %s", SLICE_FMT(address), why);
    if (split(authority, &name, &ignored))
        name = authority;
    ch->host = host.len ? slice_dup(host) : xstrdup("localhost");
    ch->port = (uint16_t)number;
    ch->authority = slice_dup(authority);
    ch->authority_host = slice_dup(name);
}

/* ---------------------------------------------------------------- dialing */

/* `connection error: desc = "…"` around what the attempt said. */
static int connection_error(struct error *err, int code, const char *words, const char *why) {
    struct buf quoted;
    char *text = xasprintf("%s%s", words, why);
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, slice_cstr(text));
    error_set(err, code, "connection error: desc = %.440s", buf_cstr(&quoted));
    buf_release(&quoted);
    free(text);
    return code;
}

/* Go's Temporary(): what the system says of an address, and names that are not there, stay. */
static bool is_lasting(int code) {
    return code == KE_DIAL || code == KE_DIAL_REFUSED || code == KE_DIAL_ERRNO || code == KE_DNS ||
           code == KE_DNS_NO_HOST || code == KE_IP_BLOCKED || code == KE_HOST_BLOCKED ||
           code == KE_INVALID;
}

static int dial(struct grpc_channel *ch, int64_t deadline_ns, struct conn **out,
                struct error *err) {
    struct conn_target target = {
        .host = slice_cstr(ch->host),
        .port = ch->port,
        .is_tls = ch->tls != NULL,
        .tls_name = slice_cstr(ch->authority_host),
        .alpn = CONN_ALPN_H2,
        .dialer = ch->dialer,
        .tls = ch->tls,
        .counters = ch->counters,
    };
    struct error why;
    struct conn_timings timings = {.connect_ns = 0};
    int rc = ch->bad_address ? error_set(&why, KE_INVALID, "%s", ch->bad_address)
                             : conn_open(&target, deadline_ns, out, &timings, &why);
    if (rc == KE_CANCELED || rc == KE_TIMEOUT) {
        *err = why;
        return rc;
    }
    if (rc)
        return connection_error(err, rc,
                                timings.tls_ns ? "transport: authentication handshake failed: "
                                               : "transport: error while dialing: ",
                                why.text);
    const struct tls_info *info = conn_tls_info(*out);
    if (info && !info->is_h2) {
        conn_close(*out);
        return connection_error(err, KE_TLS, "transport: authentication handshake failed: ",
                                "credentials: cannot check peer: missing selected ALPN property");
    }
    return 0;
}

/* One attempt. On success ch->link is there. */
static int attempt(struct grpc_channel *ch, int64_t deadline_ns, struct error *err) {
    struct conn *conn = NULL;
    struct error why;
    int rc = dial(ch, deadline_ns, &conn, err);
    if (rc)
        return rc;
    struct grpc_link *link = link_new(conn);
    rc = h2_session_await_settings(link->h2, deadline_ns, &why);
    if (rc == 0 && !ch->is_closed) {
        ch->link = link;
        return 0;
    }
    grpc_link_unref(link);
    if (rc == KE_CANCELED || rc == KE_TIMEOUT) {
        *err = why;
        return rc;
    }
    return connection_error(err, rc ? rc : KE_CANCELED, "error reading server preface: ",
                            rc == KE_EOF ? "EOF"
                            : rc         ? why.text
                                         : "closed");
}

static void back_off(struct grpc_channel *ch, int64_t began_ns) {
    double pause = (double)BACKOFF_FIRST_NS;
    for (int i = 0; i < ch->failures && pause < (double)BACKOFF_MAX_NS; i++)
        pause *= 1.6;
    if (pause > (double)BACKOFF_MAX_NS)
        pause = (double)BACKOFF_MAX_NS;
    pause *= 0.8 + 0.4 * (double)(random_u64() >> 11) / (double)(UINT64_C(1) << 53);
    ch->failures++;
    ch->next_dial_ns = began_ns + (int64_t)pause;
}

/* One attempt for all who want one. */
static int dial_once(struct grpc_channel *ch, int64_t deadline_ns, struct error *err) {
    int64_t now = clock_now_ns();
    int64_t own = deadline_ns - now < ATTEMPT_NS ? deadline_ns : now + ATTEMPT_NS;
    ch->is_dialing = true;
    int rc = attempt(ch, own, err);
    ch->is_dialing = false;
    if (rc == 0) {
        ch->failures = 0;
        ch->dial_error.code = 0;
    } else if (rc != KE_CANCELED && !(rc == KE_TIMEOUT && own == deadline_ns)) {
        if (rc == KE_TIMEOUT)
            connection_error(err, rc, "transport: error while dialing: ", "i/o timeout");
        ch->dial_error = *err;
        back_off(ch, now);
    }
    fiber_cond_broadcast(&ch->dialed);
    return rc;
}

static int deadline_error(struct grpc_channel *ch, struct error *err) {
    if (ch->dial_error.code)
        return error_set(err, KE_TIMEOUT, "context deadline exceeded: %.470s", ch->dial_error.text);
    return error_set(err, KE_TIMEOUT, "context deadline exceeded");
}

int grpc_channel_open(const struct grpc_channel_params *p, int64_t deadline_ns,
                      struct grpc_channel **out, struct error *err) {
    struct grpc_channel *ch = xcalloc(1, sizeof *ch);
    ch->refs = 1;
    ch->tls = p->tls;
    ch->dialer = p->dialer;
    ch->counters = p->counters;
    ch->max_receive_bytes = p->max_receive_bytes ? p->max_receive_bytes : GRPC_MAX_RECEIVE_DEFAULT;
    ch->max_send_bytes = p->max_send_bytes ? p->max_send_bytes : GRPC_MAX_SEND_DEFAULT;
    ch->user_agent = xasprintf("%.*s%sgrpc-kiln/%s", SLICE_FMT(p->user_agent),
                               p->user_agent.len ? " " : "", KILN_VERSION);
    fiber_cond_init(&ch->dialed);
    take_address(ch, p);
    int rc = dial_once(ch, deadline_ns, err);
    while (rc && rc != KE_CANCELED && !is_lasting(rc)) {
        bool is_over = ch->next_dial_ns >= deadline_ns || clock_now_ns() >= deadline_ns;
        int slept = fiber_sleep_until(is_over ? deadline_ns : ch->next_dial_ns);
        if (slept)
            rc = error_set(err, slept, "%s", error_text(slept));
        else
            rc = is_over ? deadline_error(ch, err) : dial_once(ch, deadline_ns, err);
        if (slept || is_over)
            break;
    }
    if (rc)
        grpc_channel_unref(ch);
    else
        *out = ch;
    return rc;
}

/* ---------------------------------------------------------------- life */

struct grpc_channel *grpc_channel_ref(struct grpc_channel *ch) {
    ch->refs++;
    return ch;
}

void grpc_channel_unref(struct grpc_channel *ch) {
    if (!ch || --ch->refs)
        return;
    grpc_link_unref(ch->link);
    free(ch->host);
    free(ch->authority);
    free(ch->authority_host);
    free(ch->user_agent);
    free(ch->bad_address);
    free(ch);
}

void grpc_channel_close(struct grpc_channel *ch) {
    struct error err;
    if (!ch)
        return;
    ch->is_closed = true;
    if (ch->link) {
        error_set(&err, KE_CANCELED, "grpc: the client connection is closing");
        h2_session_abort(ch->link->h2, &err);
        grpc_link_unref(ch->link);
        ch->link = NULL;
    }
    fiber_cond_broadcast(&ch->dialed);
    grpc_channel_unref(ch);
}

/* ---------------------------------------------------------------- for calls */

static bool fail(struct grpc_channel *ch, int rc, struct grpc_status *status) {
    if (rc == KE_CANCELED)
        grpc_status_set(status, GRPC_OK, "context canceled");
    else if (rc == KE_TIMEOUT && ch->dial_error.code)
        grpc_status_set(status, GRPC_DEADLINE_EXCEEDED, "latest balancer error: %s",
                        ch->dial_error.text);
    else if (rc == KE_TIMEOUT)
        grpc_status_set(status, GRPC_DEADLINE_EXCEEDED,
                        "context deadline exceeded while waiting for connections to become ready");
    else
        grpc_status_set(status, GRPC_UNAVAILABLE, "%s", ch->dial_error.text);
    return false;
}

bool grpc_channel_link(struct grpc_channel *ch, int64_t deadline_ns, struct grpc_link **out,
                       struct grpc_status *status) {
    struct error err;
    int rc = 0;
    while (rc == 0) {
        if (ch->is_closed) {
            grpc_status_set(status, GRPC_CANCELED, "grpc: the client connection is closing");
            return false;
        }
        if (ch->link && h2_session_is_usable(ch->link->h2)) {
            *out = ch->link;
            (*out)->refs++;
            return true;
        }
        grpc_link_unref(ch->link);
        ch->link = NULL;
        if (ch->is_dialing)
            rc = fiber_cond_wait(&ch->dialed, deadline_ns);
        else if (ch->dial_error.code && clock_now_ns() < ch->next_dial_ns)
            return fail(ch, KE_NET, status);
        else
            rc = dial_once(ch, deadline_ns, &err);
        if (ch->is_closed)
            rc = 0;
    }
    return fail(ch, rc, status);
}
