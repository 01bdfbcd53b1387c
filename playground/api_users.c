#include "api.h"

#include <stddef.h>

#include "auth.h"
#include "base/check.h"
#include "base/json_write.h"
#include "password.h"
#include "user_store.h"

#define CSRF_TOKEN_BYTES 32
#define EXPIRED "Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; SameSite=Strict"

/* What a sign-up and a login may say; some keys are taken for form's sake. */
struct credentials {
    int64_t id;
    struct slice username;
    struct slice password;
    struct slice token;
    struct slice csrf;
};

static const struct json_go_field sign_up_fields[] = {
    {"id", JSON_GO_INT, offsetof(struct credentials, id), NULL},
    {"username", JSON_GO_TEXT, offsetof(struct credentials, username), NULL},
    {"token", JSON_GO_TEXT, offsetof(struct credentials, token), NULL},
    {"password", JSON_GO_TEXT, offsetof(struct credentials, password), NULL},
};

static const struct json_go_type sign_up_type = {
    .package = "model",
    .name = "User",
    .fields = sign_up_fields,
    .field_count = countof(sign_up_fields),
};

static const struct json_go_field login_fields[] = {
    {"username", JSON_GO_TEXT, offsetof(struct credentials, username), NULL},
    {"password", JSON_GO_TEXT, offsetof(struct credentials, password), NULL},
    {"csrf", JSON_GO_TEXT, offsetof(struct credentials, csrf), NULL},
};

static const struct json_go_type login_type = {
    .package = "http",
    .name = "loginData",
    .fields = login_fields,
    .field_count = countof(login_fields),
};

static void set_cookie(struct request *r, const char *name, const char *value,
                       const char *attributes) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    buf_printf(&text, "%s=%s; %s", name, value, attributes);
    reply_header(r, "Set-Cookie", buf_slice(&text));
    buf_release(&text);
}

static void post_csrf_token(struct request *r) {
    char token[CSRF_TOKEN_BYTES + 1];
    user_token_make(token, CSRF_TOKEN_BYTES);
    reply_empty(r, 200);
    set_cookie(r, "csrf_token", token, "Path=/; SameSite=Strict");
}

/* ---------------------------------------------------------------- sign-up */

/* What is wrong with them; NULL when nothing is. */
static const char *find_fault(const struct credentials *c) {
    if (c->username.len == 0)
        return "username field is empty";
    if (c->username.len > USER_NAME_MAX_BYTES)
        return "username field is too long";
    if (slice_eq(c->username, SLICE(USER_DEFAULT_NAME)) ||
        memchr(c->username.ptr, '\0', c->username.len) != NULL)
        return "username field is invalid";
    if (c->password.len == 0)
        return "password is empty";
    if (!password_is_valid(c->password))
        return "password is invalid";
    return NULL;
}

static void store_user(struct request *r) {
    const struct credentials *c = r->work;
    char hash[PASSWORD_HASH_BYTES];
    struct user user;
    password_hash(c->password, hash);
    int rc = user_store_add(r->app->users, c->username, hash, &user);
    if (rc == KE_INVALID) {
        reply_error(r, 400, "username already taken");
        return;
    }
    if (rc != 0) {
        reply_empty(r, 500);
        return;
    }
    struct json_writer w;
    json_write_init(&w, &r->response.body, NULL, true);
    json_object_begin(&w);
    json_key(&w, "id");
    json_int(&w, user.id);
    json_key(&w, "username");
    json_cstr(&w, user.name);
    json_object_end(&w);
    buf_append_char(&r->response.body, '\n');
    reply_json(r, 201);
}

static void post_users(struct request *r) {
    struct credentials *c = arena_alloc(&r->arena, sizeof *c);
    *c = (struct credentials){0};
    if (!request_read_json(r, &sign_up_type, c))
        return;
    const char *fault = find_fault(c);
    struct user other;
    if (fault == NULL && user_store_by_name(r->app->users, c->username, &other) == 0)
        fault = "username already taken";
    if (fault != NULL) {
        reply_error(r, 400, fault);
        return;
    }
    r->work = c;
    r->response.later = store_user;
}

/* ---------------------------------------------------------------- login */

struct login {
    struct credentials credentials;
    struct user user;
    bool sets_cookie;
};

static void welcome(struct request *r, const struct login *login) {
    if (login->sets_cookie) {
        set_cookie(r, "qp_user_token", login->user.token, "Path=/; SameSite=Strict");
        set_cookie(r, "csrf_token", "", EXPIRED);
    }
    buf_printf(&r->response.body, "{\"token\":\"%s\"}\n", login->user.token);
    reply_json(r, 200);
}

static void check_password(struct request *r) {
    const struct login *login = r->work;
    if (password_matches(login->credentials.password, login->user.password))
        welcome(r, login);
    else
        reply_error(r, 401, "authentication failed");
}

static void post_login(struct request *r) {
    struct login *login = arena_alloc(&r->arena, sizeof *login);
    *login = (struct login){0};
    struct credentials *c = &login->credentials;
    if (!request_read_json(r, &login_type, c))
        return;
    const char *wish = request_query(r, "set_cookie");
    login->sets_cookie = wish != NULL && *wish != '\0';
    if (login->sets_cookie) {
        const char *csrf = request_cookie(r, "csrf_token");
        if (!slice_eq(slice_cstr(csrf != NULL ? csrf : ""), c->csrf)) {
            reply_error(r, 401, "invalid csrf token");
            return;
        }
    }
    r->work = login;
    if (user_store_by_name(r->app->users, c->username, &login->user) != 0)
        reply_error(r, 401, "authentication failed");
    else if (strcmp(login->user.name, USER_DEFAULT_NAME) == 0)
        welcome(r, login); /* whatever the password */
    else if (password_is_hash(login->user.password))
        r->response.later = check_password;
    else
        check_password(r);
}

static void post_authenticate(struct request *r) {
    if (auth_token(r) == NULL) {
        reply_error(r, 401, "authentication failed");
        return;
    }
    struct json_writer w;
    json_write_init(&w, &r->response.body, NULL, true);
    json_object_begin(&w);
    json_key(&w, "id");
    json_int(&w, r->identity.id);
    json_key(&w, "username");
    json_cstr(&w, r->identity.name);
    json_key(&w, "token");
    json_cstr(&w, r->identity.token);
    json_object_end(&w);
    buf_append_char(&r->response.body, '\n');
    reply_json(r, 200);
}

static void post_logout(struct request *r) {
    reply_empty(r, 200);
    set_cookie(r, "qp_user_token", "", EXPIRED);
}

static const struct route routes[] = {
    {METHOD_POST, "/api/csrf-token", post_csrf_token, 0},
    {METHOD_POST, "/api/users", post_users, 0},
    {METHOD_POST, "/api/users/token/login", post_login, 0},
    {METHOD_POST, "/api/users/token/authenticate", post_authenticate, 0},
    {METHOD_POST, "/api/users/token/logout", post_logout, ROUTE_AUTH},
};

void api_users_routes(struct router *router) {
    router_add(router, routes, countof(routes));
}
