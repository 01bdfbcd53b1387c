// What https://jslib.k6.io/sm-screenshots/ gives: screenshots of pages kept in Loki, whole or as a link to a bucket.
import encoding from 'k6/encoding';
import http from 'k6/http';
import { randomBytes } from 'k6/crypto';
import secrets from 'k6/secrets';
import { AWSConfig, S3Client } from 'https://jslib.k6.io/aws/0.14.0/s3.js';

const CHUNK = 200 * 1024; // characters of a line

function newID() {
    const bytes = new Uint8Array(randomBytes(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const lokiAccess = async () => ({
    host: await secrets.get('sm-screenshot-loki-host'),
    auth: await secrets.get('sm-screenshot-loki-auth'),
});

// One line of the log; the id is told to whoever reads the test's own log.
function push(access, nanoseconds, id, fields, isAnnounced) {
    const line = { level: 'info', message: 'page screenshot', timestamp: new Date().toISOString(), id, ...fields };
    const stream = {
        stream: { source: 'synthetic-monitoring-agent-screenshot', level: 'info' },
        values: [[String(nanoseconds), JSON.stringify(line)]],
    };
    const host = access.host.startsWith('http') ? access.host : `https://${access.host}`;
    const headers = { 'Content-Type': 'application/json', Authorization: `Basic ${access.auth}` };
    const response = http.post(`${host}/loki/api/v1/push`, JSON.stringify({ streams: [stream] }), { headers });
    if (response.status !== 204) throw new Error(`Loki push failed [${response.status}]: ${response.body}`);
    if (isAnnounced) console.log(`screenshot:${id}`);
}

const now = () => BigInt(Date.now()) * 1000000n;

// The picture in base64, a line a piece.
export function loki({ chunkSize = CHUNK } = {}) {
    return {
        async upload(buffer, id, caption) {
            const access = await lokiAccess();
            if (!Number.isFinite(chunkSize) || chunkSize <= 0)
                throw new Error(`chunkSize must be a positive number, got ${chunkSize}`);
            const text = encoding.b64encode(buffer);
            const begin = now();
            const total = Math.ceil(text.length / chunkSize);
            for (let i = 0; i < total; i++) {
                const fields = {
                    screenshot_base64: text.slice(i * chunkSize, (i + 1) * chunkSize),
                    caption,
                    screenshot_size_bytes: `${Math.ceil(text.length * 0.75)} bytes`,
                    chunk_index: i,
                    chunk_total: total,
                };
                push(access, begin + BigInt(i), id, fields, i === 0);
            }
        },
    };
}

// The picture in a bucket of Google Cloud Storage, its address in Loki.
export function gcs(config = {}) {
    return {
        async upload(buffer, id, caption) {
            const accessKeyId = await secrets.get('sm-screenshot-gcs-access-key');
            const secretAccessKey = await secrets.get('sm-screenshot-gcs-secret-key');
            const bucket = config.bucket || (await secrets.get('sm-screenshot-gcs-bucket'));
            const access = await lokiAccess();
            const endpoint = 'storage.googleapis.com';
            const s3 = new S3Client(new AWSConfig({ region: 'auto', accessKeyId, secretAccessKey, endpoint }));
            await s3.putObject(bucket, `${id}.png`, buffer, { contentType: 'image/png' });
            push(access, now(), id, { screenshot_url: `https://${endpoint}/${bucket}/${id}.png`, caption }, true);
        },
    };
}

export async function captureScreenshot(page, { caption = '', fullPage = false, store }) {
    await store.upload(await page.screenshot({ fullPage }), newID(), caption);
}
