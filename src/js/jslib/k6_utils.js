// What https://jslib.k6.io/k6-utils/ has had since its first versions.
import { randomBytes } from 'k6/crypto';

export function randomIntBetween(min, max) {
    return min + Math.floor(Math.random() * (max - min + 1));
}

export function randomItem(items) {
    return items[Math.floor(Math.random() * items.length)];
}

export function randomString(length, charset = 'abcdefghijklmnopqrstuvwxyz') {
    let text = '';
    while (text.length < length) text += charset[Math.floor(Math.random() * charset.length)];
    return text;
}

export function uuidv4(secure = false) {
    const bytes = secure
        ? new Uint8Array(randomBytes(16))
        : Uint8Array.from({ length: 16 }, () => Math.floor(Math.random() * 256));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

// The text between the first left and the right that follows it; with repeat, an array of all of
// them. null when there is none.
export function findBetween(content, left, right, repeat = false) {
    const found = [];
    let at = 0;
    for (;;) {
        const start = content.indexOf(left, at);
        const end = start < 0 ? -1 : content.indexOf(right, start + left.length);
        if (end < 0) return found.length > 0 ? found : null;
        found.push(content.slice(start + left.length, end));
        if (!repeat) return found[0];
        at = end + right.length;
    }
}

// Stages whose targets follow a bell curve: up to maxVUs and down again.
export function normalDistributionStages(maxVUs, durationSeconds, numberOfStages = 10) {
    const edge = Math.ceil(durationSeconds / 6);
    const inner = Math.ceil((4 * durationSeconds) / (6 * numberOfStages));
    const density = [];
    for (let i = 0; i <= numberOfStages; i++) density.push(Math.exp(-((-2 + (4 * i) / numberOfStages) ** 2) / 2));
    const peak = Math.max(...density);
    const stages = density.map((value, i) => ({
        duration: `${i === 0 ? edge : inner}s`,
        target: Math.round((value * maxVUs) / peak),
    }));
    stages.push({ duration: `${edge}s`, target: 0 });
    return stages;
}
