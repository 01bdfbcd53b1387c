#include "auth.h"

#include <strings.h>

#include "base/check.h"
#include "user_store.h"

const char *auth_token(const struct request *r) {
    const char *token = request_cookie(r, "qp_user_token");
    if (token != NULL && strlen(token) == USER_TOKEN_BYTES)
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
    return strlen(token) == USER_TOKEN_BYTES ? token : NULL;
}

static void set_default(const struct request *r, struct user *out) {
    if (user_store_by_name(r->app->users, SLICE(USER_DEFAULT_NAME), out) != 0)
        *out = (struct user){.id = USER_DEFAULT_ID, .name = USER_DEFAULT_NAME};
}

bool auth_identify(struct request *r) {
    const char *customer = request_header(r, "X-User-ID");
    if (customer != NULL && *customer == '\0')
        customer = NULL;
    const char *token = auth_token(r);
    if (customer == NULL && token == NULL)
        return false;
    if (token == NULL || user_store_by_token(r->app->users, slice_cstr(token), &r->identity) != 0)
        set_default(r, &r->identity);
    r->user = slice_cstr(customer != NULL ? customer : r->identity.name);
    return true;
}
