/* The pages that k6's demo site test.k6.io had, for scripts written for it. */
#include "api.h"

#include <errno.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/random.h"
#include "web.h"

#define PI_DECIMALS_DEFAULT 2

static const char pi_decimals[] =
    "1415926535897932384626433832795028841971693993751058209749445923078164";

static void any_page(struct request *r) {
    static const struct {
        const char *path;
        const char *file;
    } pages[] = {
        {"/contacts.php", "test.k6.io/contacts.html"},
        {"/news.php", "test.k6.io/news.html"},
        {"/browser.php", "test.k6.io/browser.html"},
        {"/my_messages.php", "test.k6.io/my_messages.html"},
        {"/admin.php", "test.k6.io/admin.html"},
    };
    for (size_t i = 0; i < countof(pages); i++) {
        if (strcmp(pages[i].path, r->path) == 0) {
            web_reply(r, pages[i].file);
            return;
        }
    }
    reply_page_not_found(r);
}

static void get_flip_coin(struct request *r) {
    const char *bet = request_query(r, "bet");
    bet = bet != NULL && strcmp(bet, "tails") == 0 ? "tails" : "heads";
    const char *result = random_below(2) == 0 ? "heads" : "tails";
    static const char other_bets[] = "<form method=\"GET\" action=\"/flip_coin.php\">\n"
                                     "<input type=\"hidden\" name=\"bet\" value=\"heads\">\n"
                                     "<input type=\"submit\" value=\"Bet on heads!\">\n"
                                     "</form>\n"
                                     "<form method=\"GET\" action=\"/flip_coin.php\">\n"
                                     "<input type=\"hidden\" name=\"bet\" value=\"tails\">\n"
                                     "<input type=\"submit\" value=\"Bet on tails!\">\n"
                                     "</form>\n";
    buf_printf(&r->response.body,
               "<!doctype html>\n"
               "<html lang=\"en\">\n"
               "<head>\n"
               "<meta charset=\"utf-8\">\n"
               "<title>Flip coin. Your choice is %s</title>\n"
               "<link rel=\"icon\" href=\"/test.k6.io/static/favicon.ico\">\n"
               "</head>\n"
               "<body>\n"
               "<p><a href=\"/test.k6.io/\">&lt; Back</a></p>\n"
               "<h2>You %s!</h2>\n"
               "<p>Your bet: %s.</p>\n"
               "<p>Toss result: %s!</p>\n"
               "%s"
               "</body>\n"
               "</html>\n",
               bet, strcmp(bet, result) == 0 ? "won" : "lost", bet, result, other_bets);
    r->response.status = 200;
    r->response.content_type = "text/html; charset=utf-8";
}

static void get_pi(struct request *r) {
    const char *text = request_query(r, "decimals");
    char *end = NULL;
    errno = 0;
    long long count = text != NULL ? strtoll(text, &end, 10) : -1;
    if (text == NULL || end == text || *end != '\0' || errno != 0 || count < 0)
        count = PI_DECIMALS_DEFAULT;
    if (count > (long long)sizeof pi_decimals - 1)
        count = sizeof pi_decimals - 1;
    buf_printf(&r->response.body, "3.%.*s", (int)count, pi_decimals);
    r->response.status = 200;
    r->response.content_type = "text/plain; charset=utf-8";
}

static void any_folder(struct request *r) {
    reply_empty(r, 301);
    reply_header(r, "Location", SLICE("test.k6.io/"));
}

static void any_index(struct request *r) {
    web_reply(r, "test.k6.io/index.html");
}

static void any_favicon(struct request *r) {
    web_reply(r, "test.k6.io/static/favicon.ico");
}

/* The files in /test.k6.io/static/ are served with those of the page. */
static const struct route routes[] = {
    {METHOD_ANY, "/contacts.php", any_page, 0},
    {METHOD_ANY, "/news.php", any_page, 0},
    {METHOD_ANY, "/browser.php", any_page, 0},
    {METHOD_ANY, "/my_messages.php", any_page, 0},
    {METHOD_ANY, "/admin.php", any_page, 0},
    {METHOD_GET, "/flip_coin.php", get_flip_coin, 0},
    {METHOD_GET, "/pi.php", get_pi, 0},
    {METHOD_ANY, "/test.k6.io", any_folder, 0},
    {METHOD_ANY, "/test.k6.io/", any_index, 0},
    {METHOD_GET | METHOD_HEAD, "/favicon.ico", any_favicon, 0},
};

void api_legacy_routes(struct router *router) {
    router_add(router, routes, countof(routes));
}
