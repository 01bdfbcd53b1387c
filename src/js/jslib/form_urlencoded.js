// What https://jslib.k6.io/form-urlencoded/ gives: application/x-www-form-urlencoded of nested data.

const encode = (value) =>
    encodeURIComponent(String(value))
        .replace(/%20/g, '+')
        .replace(/[!'()~*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

// options: sorted (keys in their order), skipIndex (a[]=1 and not a[0]=1), ignorenull (nulls are left out).
export default function formurlencoded(data, options = {}) {
    const keysOf = (object) => (options.sorted ? Object.keys(object).sort() : Object.keys(object));
    const some = (pairs) => pairs.filter(Boolean).join('&');

    function pairsOf(name, value) {
        if (value === null) return options.ignorenull ? null : `${encode(name)}=null`;
        if (['string', 'number', 'boolean'].includes(typeof value)) return `${encode(name)}=${encode(value)}`;
        if (Array.isArray(value)) {
            if (value.length === 0) return encode(`${name}[]`);
            return some(value.map((item, i) => pairsOf(`${name}[${options.skipIndex ? '' : i}]`, item)));
        }
        if (typeof value === 'object') return some(keysOf(value).map((key) => pairsOf(`${name}[${key}]`, value[key])));
        return null;
    }

    return data && some(keysOf(data).map((key) => pairsOf(key, data[key])));
}
