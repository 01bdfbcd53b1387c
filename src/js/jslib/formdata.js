// What https://jslib.k6.io/formdata/ gives: bodies of multipart/form-data.

const CRLF = '\r\n';

// The low byte of each character of a string: what open() and http.file() give for text is sent as it is.
function bytesOf(input) {
    if (typeof input === 'string') return Uint8Array.from(input, (char) => char.charCodeAt(0));
    if (input instanceof ArrayBuffer) return new Uint8Array(input);
    if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
    return Uint8Array.from(Array.isArray(input) ? input : []);
}

function joined(pieces) {
    const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
        all.set(piece, at);
        at += piece.length;
    }
    return all;
}

function headOf(field, file) {
    const name = file.filename ? `; filename="${file.filename.replace(/"/g, '%22')}"` : '';
    const type = file.content_type || 'application/octet-stream';
    return `Content-Disposition: form-data; name="${field}"${name}${CRLF}Content-Type: ${type}${CRLF}${CRLF}`;
}

// A function, as FormData() works without new.
export function FormData() {
    if (!(this instanceof FormData)) return new FormData();
    this.boundary = `------RWWorkerFormDataBoundary${Math.random().toString(36)}`;
    this.parts = [];
}

// data: a string, or what http.file() gives ({data, filename, content_type}).
FormData.prototype.append = function append(field, data) {
    if (arguments.length < 2) throw new SyntaxError('Not enough arguments');
    this.parts.push({ field, file: typeof data === 'string' ? { data, content_type: 'text/plain' } : data });
};

// The body as an ArrayBuffer.
FormData.prototype.body = function body() {
    const pieces = [];
    for (const { field, file } of this.parts) {
        pieces.push(bytesOf(`--${this.boundary}${CRLF}${headOf(field, file)}`), bytesOf(file.data), bytesOf(CRLF));
    }
    pieces.push(bytesOf(`--${this.boundary}--${CRLF}`));
    return joined(pieces).buffer;
};

export default { FormData };
