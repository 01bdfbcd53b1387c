#include "auth.h"

#include <strings.h>

#include "catalog.h"

#define DEFAULT_USER_ID 1

static const char *token_of(const struct request *r) {
    const char *token = request_cookie(r, "qp_user_token");
    if (token != NULL && strlen(token) == AUTH_TOKEN_BYTES)
        return token;
    token = request_header(r, "Authorization");
    if (token == NULL)
        return NULL;
    if (strncasecmp(token, "Token ", 6) == 0)
        token += 6;
    else if (strncasecmp(token, "Bearer ", 7) == 0)
        token += 7;
    else
        return NULL;
    return strlen(token) == AUTH_TOKEN_BYTES ? token : NULL;
}

static const struct user *user_of(const struct catalog *c, const char *token) {
    const struct user *fallback = NULL;
    for (size_t i = 0; i < c->user_count; i++) {
        if (slice_eq(c->users[i].token, slice_cstr(token)))
            return &c->users[i];
        if (c->users[i].id == DEFAULT_USER_ID)
            fallback = &c->users[i];
    }
    return fallback;
}

bool auth_identify(struct request *r) {
    const char *customer = request_header(r, "X-User-ID");
    if (customer != NULL && *customer == '\0')
        customer = NULL;
    const char *token = token_of(r);
    if (customer == NULL && token == NULL)
        return false;
    const struct user *user = token != NULL ? user_of(r->app->catalog, token) : NULL;
    r->user_id = user != NULL ? user->id : DEFAULT_USER_ID;
    if (customer != NULL)
        r->user = slice_cstr(customer);
    else
        r->user = user != NULL ? user->name : SLICE("default");
    return true;
}
