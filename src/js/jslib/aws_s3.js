// S3 of https://jslib.k6.io/aws/.
import { parseHTML } from 'k6/html';
import { AWSClient, AWSError, InvalidSignatureError, ServiceError } from 'https://jslib.k6.io/aws/0.14.0/core.js';
export * from 'https://jslib.k6.io/aws/0.14.0/core.js';

export class S3ServiceError extends ServiceError {
    constructor(message, code, operation) {
        super('S3ServiceError', message, code, operation);
    }
}

export class S3Bucket {
    constructor(name, creationDate) {
        Object.assign(this, { name, creationDate });
    }
}

export class S3Object {
    constructor(key, lastModified, etag, size, storageClass, data) {
        Object.assign(this, { key, lastModified, etag, size, storageClass, data });
    }
}

export class S3UploadedObject {
    constructor(key, etag, { crc32, crc32c, crc64nvme, sha1, sha256, checksumType = 'FULL_OBJECT', size } = {}) {
        Object.assign(this, { key, etag, crc32, crc32c, crc64nvme, sha1, sha256, checksumType, size });
    }
}

export class S3MultipartUpload {
    constructor(key, uploadId) {
        Object.assign(this, { key, uploadId });
    }
}

export class S3Part {
    constructor(partNumber, eTag) {
        Object.assign(this, { partNumber, eTag });
    }
}

const header = (response, name) => {
    const found = Object.keys(response.headers).find((each) => each.toLowerCase() === name);
    return found && response.headers[found];
};

// The children of an element of XML, by their names in lower case.
function fieldsOf(element) {
    const fields = {};
    for (const child of element.children()) fields[child.nodeName()] = child.textContent();
    return fields;
}

function elementsOf(selection) {
    const found = [];
    selection.each((i, element) => found.push(fieldsOf(element)));
    return found;
}

const pathOf = (bucket, key) => encodeURI(`/${bucket}/${key}`);

const UPLOAD_HEADERS = {
    contentDisposition: 'Content-Disposition',
    contentEncoding: 'Content-Encoding',
    contentLength: 'Content-Length',
    contentMD5: 'Content-MD5',
    contentType: 'Content-Type',
};

export class S3Client extends AWSClient {
    constructor(awsConfig) {
        super(awsConfig, 's3', { uriEscapePath: false, applyChecksum: true });
    }

    async listBuckets() {
        const response = await this.send({ method: 'GET', path: '/' }, 'ListBuckets');
        return elementsOf(parseHTML(response.body).find('Buckets').children()).map(
            ({ name, creationdate }) => ({ name, creationDate: Date.parse(creationdate) }),
        );
    }

    async listObjects(bucket, prefix) {
        const query = { 'list-type': '2', prefix: prefix || '' };
        const response = await this.send({ method: 'GET', path: pathOf(bucket, ''), query }, 'ListObjectsV2');
        return elementsOf(parseHTML(response.body).find('Contents')).map(({ key, lastmodified, etag, size, storageclass }) => ({
            key,
            lastModified: Date.parse(lastmodified),
            etag,
            size: parseInt(size, 10),
            storageClass: storageclass,
        }));
    }

    // Binary data with { Accept: 'application/octet-stream' }.
    async getObject(bucket, key, additionalHeaders = {}) {
        const responseType = additionalHeaders.Accept === 'application/octet-stream' ? 'binary' : 'text';
        const request = { method: 'GET', path: pathOf(bucket, key), headers: { ...additionalHeaders } };
        const response = await this.send(request, 'GetObject', { responseType });
        return new S3Object(
            key,
            Date.parse(header(response, 'last-modified')),
            header(response, 'etag'),
            parseInt(header(response, 'content-length'), 10),
            header(response, 'x-amz-storage-class') || 'STANDARD',
            response.body,
        );
    }

    async putObject(bucket, key, data, params = {}) {
        const headers = { host: this.endpoint.host };
        for (const [name, headerName] of Object.entries(UPLOAD_HEADERS)) {
            if (params[name]) headers[headerName] = String(params[name]);
        }
        const response = await this.send({ method: 'PUT', path: pathOf(bucket, key), headers, body: data }, 'PutObject');
        const size = header(response, 'x-amz-object-size');
        return new S3UploadedObject(key, header(response, 'etag') || '', {
            crc32: header(response, 'x-amz-checksum-crc32'),
            crc32c: header(response, 'x-amz-checksum-crc32c'),
            crc64nvme: header(response, 'x-amz-checksum-crc64nvme'),
            sha1: header(response, 'x-amz-checksum-sha1'),
            sha256: header(response, 'x-amz-checksum-sha256'),
            checksumType: header(response, 'x-amz-checksum-algorithm') === 'COMPOSITE' ? 'COMPOSITE' : undefined,
            size: size && parseInt(size, 10),
        });
    }

    async deleteObject(bucket, key) {
        await this.send({ method: 'DELETE', path: pathOf(bucket, key) }, 'DeleteObject');
    }

    async copyObject(sourceBucket, sourceKey, bucket, key) {
        const headers = { 'x-amz-copy-source': `${sourceBucket}/${sourceKey}` };
        await this._sendToBucket(bucket, key, { method: 'PUT', headers }, 'CopyObject');
    }

    async createMultipartUpload(bucket, key) {
        const request = { method: 'POST', query: { uploads: '' } };
        const response = await this._sendToBucket(bucket, key, request, 'CreateMultipartUpload');
        return new S3MultipartUpload(key, parseHTML(response.body).find('UploadId').text());
    }

    async uploadPart(bucket, key, uploadId, partNumber, data) {
        const query = { partNumber: `${partNumber}`, uploadId: `${uploadId}` };
        const response = await this._sendToBucket(bucket, key, { method: 'PUT', body: data, query }, 'UploadPart');
        return new S3Part(partNumber, header(response, 'etag'));
    }

    async completeMultipartUpload(bucket, key, uploadId, parts) {
        const list = parts.map(({ partNumber, eTag }) => `<Part><PartNumber>${partNumber}</PartNumber><ETag>${eTag}</ETag></Part>`);
        const body = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;
        await this._sendToBucket(bucket, key, { method: 'POST', body, query: { uploadId: `${uploadId}` } }, 'CompleteMultipartUpload');
    }

    async abortMultipartUpload(bucket, key, uploadId) {
        await this._sendToBucket(bucket, key, { method: 'DELETE', query: { uploadId: `${uploadId}` } }, 'AbortMultipartUpload');
    }

    // These name the bucket in the host.
    _sendToBucket(bucket, key, request, operation) {
        const endpoint = this.endpoint.copy();
        endpoint.hostname = `${bucket}.${this.endpoint.hostname}`;
        return this.send({ ...request, endpoint, path: encodeURI(`/${key}`) }, operation);
    }

    handleError(response, operation) {
        if (!super.handleError(response)) return false;
        // What S3 says of a bucket that is not there, or in another region.
        if (response.status === 301 || (response.error || '').startsWith('301'))
            throw new S3ServiceError('Resource not found', 'ResourceNotFound', operation);
        const error = AWSError.parseXML(response.body);
        if (error.code === 'AuthorizationHeaderMalformed') throw new InvalidSignatureError(error.message, error.code);
        throw new S3ServiceError(error.message, error.code || 'unknown', operation);
    }
}
