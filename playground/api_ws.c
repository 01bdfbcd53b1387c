#include "api.h"

#include "base/check.h"
#include "base/slice.h"
#include "ws_frame.h"

/* Is `token` one of the values of a comma-separated header? */
static bool has_token(const char *list, struct slice token) {
    struct slice rest = slice_cstr(list != NULL ? list : "");
    while (rest.ptr != NULL) {
        if (slice_ieq(slice_trim(slice_cut(&rest, ',')), token))
            return true;
    }
    return false;
}

/* Why the request is no WebSocket handshake; NULL when it is one. */
static const char *find_fault(const struct request *r) {
    const char *key = request_header(r, "Sec-WebSocket-Key");
    if (!has_token(request_header(r, "Connection"), SLICE("upgrade")))
        return "websocket: the client is not using the websocket protocol: 'upgrade' token not found in "
               "'Connection' header";
    if (!has_token(request_header(r, "Upgrade"), SLICE("websocket")))
        return "websocket: the client is not using the websocket protocol: 'websocket' token not found "
               "in 'Upgrade' header";
    if (!has_token(request_header(r, "Sec-WebSocket-Version"), SLICE("13")))
        return "websocket: unsupported version: 13 not found in 'Sec-Websocket-Version' header";
    if (key == NULL || strlen(key) != 24)
        return "websocket: not a websocket handshake: 'Sec-WebSocket-Key' header must be Base64 encoded "
               "value of 16-byte in length";
    return NULL;
}

static void get_ws(struct request *r) {
    const char *fault = find_fault(r);
    if (fault != NULL) {
        struct buf text;
        buf_init(&text, BUF_NO_CAP);
        buf_printf(&text, "Bad Request\n%s\n", fault);
        reply_text(r, 400, "text/plain; charset=utf-8", buf_slice(&text));
        buf_release(&text);
        reply_header(r, "Sec-Websocket-Version", SLICE("13"));
        return;
    }
    char accept[WS_ACCEPT_BYTES];
    ws_accept_key(request_header(r, "Sec-WebSocket-Key"), accept);
    reply_empty(r, 101);
    reply_header(r, "Upgrade", SLICE("websocket"));
    reply_header(r, "Sec-WebSocket-Accept", slice_cstr(accept));
    r->response.is_upgrade = true;
}

static const struct route routes[] = {
    {METHOD_GET, "/ws", get_ws, 0},
};

void api_ws_routes(struct router *router) {
    router_add(router, routes, countof(routes));
}
