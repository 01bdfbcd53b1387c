/* Percent-encoding by Go's rules (net/url escape, unescape), and IDNA's ASCII form of host names.
 */
#pragma once

#include "base/buf.h"
#include "base/error.h"

enum url_mode {
    URL_PATH,
    URL_HOST,
    URL_ZONE,
    URL_USER_PASSWORD,
    URL_QUERY_COMPONENT,
    URL_FRAGMENT
};

/* Appends s, escaped for mode (space is "+" in a query component). */
void url_escape(struct buf *out, struct slice s, enum url_mode mode);
/* Appends s decoded. 0 or KE_URL with Go's words in err (`invalid URL escape "%zz"`, `invalid
 * character " " in host name`); on error out holds a part. */
int url_unescape(struct buf *out, struct slice s, enum url_mode mode, struct error *err);
/* True when s is a valid encoding for mode that escaping afresh would not have to change. */
bool url_is_valid_encoding(struct slice s, enum url_mode mode);
/* Appends the ASCII (punycode) form of a host name; ASCII names are copied as they are. */
void url_host_to_ascii(struct buf *out, struct slice host);
