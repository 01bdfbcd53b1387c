// What https://jslib.k6.io/url/ gives: the URL and URLSearchParams of browsers, which kiln has anyway; v0.51
// has no globals of that name.
const from = globalThis.URL ? globalThis : require('k6/x/web');

export const { URL, URLSearchParams } = from;
export default { URL, URLSearchParams };
