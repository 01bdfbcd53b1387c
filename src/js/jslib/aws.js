// All of https://jslib.k6.io/aws/.
export * from 'https://jslib.k6.io/aws/0.14.0/core.js';
export * from 'https://jslib.k6.io/aws/0.14.0/s3.js';
export * from 'https://jslib.k6.io/aws/0.14.0/json.js';
