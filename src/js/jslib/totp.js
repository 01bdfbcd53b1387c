// What https://jslib.k6.io/totp/ gives: time-based one-time passwords (RFC 6238) with SHA-1.
import { hmac } from 'k6/crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

// Base32 (RFC 4648); spaces, dashes and padding of a secret that was written for people are passed over.
function base32Decode(text) {
    const bytes = [];
    let bits = 0;
    let value = 0;
    for (const char of text.toUpperCase()) {
        if ('= -'.includes(char)) continue;
        const digit = ALPHABET.indexOf(char);
        if (digit < 0) throw new Error(`the secret is no base32: ${char}`);
        value = ((value << 5) | digit) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            bytes.push((value >> bits) & 0xff);
        }
    }
    return Uint8Array.from(bytes).buffer;
}

function counterBytes(counter) {
    const view = new DataView(new ArrayBuffer(8));
    view.setUint32(0, Math.floor(counter / 2 ** 32));
    view.setUint32(4, counter >>> 0);
    return view.buffer;
}

export class TOTP {
    constructor(secret, digits = 6) {
        this.key = secret;
        this.digits = digits;
    }

    // The code of now; bias: seconds to look back.
    async gen(period = 30, bias = 0) {
        const counter = Math.floor((Date.now() / 1000 - bias) / period);
        const mac = new DataView(hmac('sha1', base32Decode(this.key), counterBytes(counter), 'binary'));
        const code = mac.getUint32(mac.getUint8(19) & 15) & 0x7fffffff;
        return (code % 10 ** this.digits).toString().padStart(this.digits, '0');
    }

    async verify(code, period = 30) {
        return code === (await this.gen(period));
    }
}

export default { TOTP };
