#!/usr/bin/env python3
"""aws of jslib.k6.io, as kiln brings it along: signatures of AWS's documentation, and clients against a server that
checks each signature itself."""
import hashlib
import hmac
import json
import re
import unittest
from urllib.parse import parse_qsl, quote, urlsplit

from http_server import HttpServer
from kiln_runner import kiln, script

KEY, SECRET = 'AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'


def signature_of(http, body):
    """Of a request as it came, computed from its Authorization header's scope and list of headers."""
    scope, names = re.match(r'AWS4-HMAC-SHA256 Credential=%s/(\S+), SignedHeaders=(\S+), Signature=' % KEY, http.headers['Authorization']).groups()
    url = urlsplit(http.path)
    query = '&'.join('%s=%s' % (quote(k, safe='-_.~'), quote(v, safe='-_.~')) for k, v in sorted(parse_qsl(url.query, keep_blank_values=True)))
    path = url.path if scope.split('/')[2] == 's3' else quote(url.path)
    payload = http.headers['X-Amz-Content-Sha256'] or hashlib.sha256(body).hexdigest()
    headers = ''.join('%s:%s\n' % (name, http.headers[name]) for name in names.split(';'))
    request = '\n'.join([http.command, path, query, headers, names, payload])
    key = b'AWS4' + SECRET.encode()
    for part in scope.split('/'):
        key = hmac.new(key, part.encode(), 'sha256').digest()
    text = '\n'.join(['AWS4-HMAC-SHA256', http.headers['X-Amz-Date'], scope, hashlib.sha256(request.encode()).hexdigest()])
    return hmac.new(key, text.encode(), 'sha256').hexdigest()


class Cloud:
    """Buckets and the answers of services that speak JSON."""

    def __init__(self):
        self.objects, self.parts, self.calls = {}, [], []

    def answer(self, http, status, body=b'', headers=()):
        http.send_response(status)
        for name, value in headers:
            http.send_header(name, value)
        http.send_header('Content-Length', str(len(body)))
        http.end_headers()
        http.wfile.write(body)

    def __call__(self, http):
        body = http.body()
        assert http.headers['Authorization'].endswith('Signature=' + signature_of(http, body)), (http.path, http.headers.items())
        target = http.headers['X-Amz-Target']
        if target:
            return self.json(http, target, body)
        url, bucket = urlsplit(http.path), (http.headers['Host'] or '').split('.')[0]
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        if url.path == '/':
            return self.answer(http, 200, b'<ListAllMyBucketsResult><Buckets><Bucket><Name>one</Name><CreationDate>2020-01-01T00:00:00.000Z</CreationDate>'
                               b'</Bucket><Bucket><Name>two</Name></Bucket></Buckets></ListAllMyBucketsResult>')
        if 'list-type' in query:
            found = ''.join('<Contents><Key>%s</Key><Size>%d</Size><LastModified>2020-01-01T00:00:00.000Z</LastModified><StorageClass>STANDARD'
                            '</StorageClass></Contents>' % (key.rsplit('/', 1)[1], len(data)) for key, data in self.objects.items()
                            if key.rsplit('/', 1)[1].startswith(query['prefix']))
            return self.answer(http, 200, ('<ListBucketResult>%s</ListBucketResult>' % found).encode())
        if 'uploads' in query:
            return self.answer(http, 200, b'<InitiateMultipartUploadResult><UploadId>up-1</UploadId></InitiateMultipartUploadResult>')
        if 'partNumber' in query:
            self.parts.append(body)
            return self.answer(http, 200, headers=[('ETag', 'part%s' % query['partNumber'])])
        if http.command == 'POST' and 'uploadId' in query:
            assert body == b'<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>part1</ETag></Part></CompleteMultipartUpload>', body
            self.objects['/' + bucket + url.path] = b''.join(self.parts)
            return self.answer(http, 200)
        if http.headers['X-Amz-Copy-Source']:
            self.objects['/' + bucket + url.path] = self.objects['/' + http.headers['X-Amz-Copy-Source']]
            return self.answer(http, 200)
        if http.command == 'PUT':
            self.objects[url.path] = body
            return self.answer(http, 200, headers=[('ETag', '"e1"'), ('x-amz-checksum-crc32', 'abc')])
        if http.command == 'DELETE':
            del self.objects[url.path]
            return self.answer(http, 204)
        if url.path not in self.objects:
            return self.answer(http, 404, b'<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>')
        return self.answer(http, 200, self.objects[url.path], [('ETag', '"e1"'), ('Last-Modified', 'Wed, 01 Jan 2020 00:00:00 GMT')])

    def json(self, http, target, body):
        given = json.loads(body) if body else {}
        self.calls.append((target, given, http.headers['Content-Type']))
        operation = target.split('.')[1]
        answers = {
            'ListSecrets': {'SecretList': [{'Name': 's', 'ARN': 'arn'}]},
            'GetSecretValue': {'Name': given.get('SecretId'), 'SecretString': 'hush'},
            'CreateSecret': {'Name': given.get('Name')}, 'PutSecretValue': {'Name': 's'}, 'DeleteSecret': {},
            'GetParameter': {'Parameter': {'Name': 'p', 'Value': 'v', 'Version': 3}},
            'ListKeys': {'Keys': [{'KeyArn': 'a', 'KeyId': 'k'}]}, 'GenerateDataKey': {'KeyId': 'k', 'Plaintext': 'p', 'CiphertextBlob': 'c'},
            'SendMessage': {'MessageId': 'm', 'MD5OfMessageBody': '5'}, 'ListQueues': {'QueueUrls': ['q']},
            'SendMessageBatch': {'Successful': [{'MessageId': 'm', 'MD5OfMessageBody': '5'}], 'Failed': [{'Message': 'no', 'Code': 'X'}]},
            'ReceiveMessage': {'Messages': [{'MessageId': 'm', 'Body': 'b', 'Attributes': {'SenderId': 'me'}}]}, 'DeleteMessage': {},
            'PutRecords': {'FailedRecordCount': 0, 'Records': [{'SequenceNumber': '1', 'ShardId': 's'}]},
            'GetShardIterator': {'ShardIterator': 'it'}, 'GetRecords': {'Records': [{'Data': 'd', 'PartitionKey': 'p'}]},
            'ListShards': {'Shards': [{'ShardId': 's'}]}, 'ListStreams': {'StreamNames': ['n']}, 'CreateStream': {}, 'DeleteStream': {}, 'PutEvents': {},
            'RequestResponse': {'ok': True}}
        if given.get('SecretId') == 'missing':
            return self.answer(http, 400, b'{"__type": "ResourceNotFoundException", "Message": "no such secret"}', [('Content-Type', 'application/x-amz-json-1.1')])
        headers = [('X-Amz-Function-Error', 'Unhandled')] if given.get('fail') else [('X-Amz-Log-Result', 'bG9n'), ('X-Amz-Executed-Version', '7')]
        self.answer(http, 200, json.dumps(answers[operation]).encode(), headers)


class Aws(unittest.TestCase):
    def run_script(self, text, url=''):
        done = kiln('run', '--quiet', '--offline', '-e', 'URL=' + url, '-e', 'AWS_REGION=us-east-1', '-e', 'AWS_ACCESS_KEY_ID=' + KEY,
                    '-e', 'AWS_SECRET_ACCESS_KEY=' + SECRET, script(self, text))
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual([message for level, message, _ in done.log if level == 'error'], [])
        return [json.loads(message.replace('\\"', '"').replace('\\\\', '\\')) for message in done.messages]

    def test_signatures_of_the_documentation(self):
        self.assertEqual(self.run_script("""
            import { SignatureV4, Endpoint, AWSConfig } from 'https://jslib.k6.io/aws/0.12.3/signature.js';
            const say = (value) => console.log(JSON.stringify(value));
            export default function () {
              const iam = new SignatureV4({ service: 'iam', region: 'us-east-1', applyChecksum: false,
                credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' } });
              const signed = iam.sign({ method: 'GET', endpoint: new Endpoint('iam.amazonaws.com'), path: '/', query: { Action: 'ListUsers', Version: '2010-05-08' },
                headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' } }, { signingDate: new Date('2015-08-30T12:36:00Z') });
              say([signed.url, signed.headers.authorization]);
              const s3 = new SignatureV4({ service: 's3', region: 'us-east-1', uriEscapePath: false, credentials: { accessKeyId: '%s', secretAccessKey: '%s' } });
              const options = { signingDate: new Date('2013-05-24T00:00:00Z') };
              const object = { method: 'GET', protocol: 'https', hostname: 'examplebucket.s3.amazonaws.com', path: '/test.txt' };
              say([s3.sign({ ...object, headers: { range: 'bytes=0-9' } }, options).headers.authorization.split('Signature=')[1]]);
              const only = new Set(['x-amz-content-sha256']);
              say([s3.presign({ ...object, headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
                { ...options, expiresIn: 86400, unsignableHeaders: only, unhoistableHeaders: only }).url]);
              for (const bad of [{}, { region: 'r', accessKeyId: 'short' }]) try { new AWSConfig(bad); } catch (e) { say([e.message]); }
              try { s3.presign({ ...object, headers: {} }, { expiresIn: 1e6 }); } catch (e) { say([e.name, e.message]); }
            }""" % (KEY, SECRET)), [
            ['https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08',
             'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, '
             'Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7'],
            ['f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41'],
            ['https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=' + KEY + '%2F20130524%2Fus-east-1%2Fs3%2Faws4_request'
             '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404&X-Amz-SignedHeaders=host'],
            ['invalid AWS region; reason: expected a valid AWS region name (e.g. "us-east-1"), got `undefined`'],
            ['invalid AWS access key ID; reason: size should be between 16 and 128 characters, got 5'],
            ['InvalidSignatureError', "Signature version 4 presigned URLs can't be valid for more than 7 days"]])

    def test_s3(self):
        cloud = Cloud()
        with HttpServer(cloud) as server:
            port = server.url.rsplit(':', 1)[1]
            said = self.run_script("""
                import { AWSConfig, S3Client } from 'https://jslib.k6.io/aws/0.14.0/s3.js';
                import { Endpoint } from 'https://jslib.k6.io/aws/0.14.0/signature.js';
                export const options = { hosts: { 'b.localhost': '127.0.0.1', localhost: '127.0.0.1' }, discardResponseBodies: true };
                const say = (value) => console.log(JSON.stringify(value));
                const s3 = new S3Client(AWSConfig.fromEnvironment({ endpoint: __ENV.URL }));
                export default async function () {
                  say((await s3.listBuckets()).map((bucket) => bucket.name));
                  const put = await s3.putObject('b', 'a file.txt', 'hello', { contentType: 'text/plain' });
                  say([put.key, put.etag.length, put.crc32, put.checksumType]);
                  await s3.putObject('b', 'bytes', new Uint8Array([1, 2, 250]).buffer);
                  const got = await s3.getObject('b', 'a file.txt');
                  say([got.data, got.size, got.storageClass, got.lastModified]);
                  say(Array.from(new Uint8Array((await s3.getObject('b', 'bytes', { Accept: 'application/octet-stream' })).data)));
                  await s3.copyObject('b', 'bytes', 'b', 'copy');
                  const upload = await s3.createMultipartUpload('b', 'big');
                  const part = await s3.uploadPart('b', 'big', upload.uploadId, 1, 'part one');
                  await s3.completeMultipartUpload('b', 'big', upload.uploadId, [part]);
                  await s3.deleteObject('b', 'a file.txt');
                  say((await s3.listObjects('b', 'b')).map((object) => [object.key, object.size]));
                  try { await s3.getObject('b', 'missing'); } catch (e) { say([e.name, e.code, e.message, e.operation]); }
                  s3.endpoint = new Endpoint('http://127.0.0.1:1');
                  try { await s3.listBuckets(); } catch (e) { say([e.name, e.code]); }
                }""", 'http://localhost:' + port)
        self.assertEqual(said, [['one', 'two'], ['a file.txt', 4, 'abc', 'FULL_OBJECT'], ['hello', 5, 'STANDARD', 1577836800000], [1, 2, 250],
                                [['bytes', 3], ['big', 8]], ['S3ServiceError', 'NoSuchKey', 'The specified key does not exist.', 'GetObject'], ['TCPError', 1212]])
        self.assertEqual(cloud.objects, {'/b/bytes': b'\x01\x02\xfa', '/b/copy': b'\x01\x02\xfa', '/b/big': b'part one'})

    def test_services_that_speak_json(self):
        cloud = Cloud()
        with HttpServer(cloud) as server:
            said = self.run_script("""
                import { AWSConfig, SecretsManagerClient, SystemsManagerClient, KMSClient, SQSClient, KinesisClient, EventBridgeClient, LambdaClient }
                  from 'https://jslib.k6.io/aws/0.14.0/aws.js';
                const config = AWSConfig.fromEnvironment({ endpoint: __ENV.URL });
                const say = (...values) => console.log(JSON.stringify(values));
                export default async function () {
                  const secrets = new SecretsManagerClient(config);
                  say((await secrets.listSecrets())[0].arn, (await secrets.getSecret('id')).secret, (await secrets.createSecret('n', 's', 'd')).name);
                  await secrets.deleteSecret('id', { noRecovery: true });
                  try { await secrets.getSecret('missing'); } catch (e) { say(e.name, e.code, e.message, e.operation); }
                  const parameter = await new SystemsManagerClient(config).getParameter('p', true);
                  say(parameter.value, parameter.version);
                  const kms = new KMSClient(config);
                  say((await kms.listKeys())[0].keyId, await kms.generateDataKey('k'));
                  const sqs = new SQSClient(config);
                  say((await sqs.sendMessage('q', 'text', { delaySeconds: 1, messageAttributes: { a: { type: 'String', value: 'v' } } })).id, (await sqs.listQueues()).urls,
                      (await sqs.sendMessageBatch('q', [{ messageId: '1', messageBody: 'x' }])).failed[0].code, (await sqs.receiveMessages('q'))[0].Attributes.SenderId);
                  const kinesis = new KinesisClient(config);
                  await kinesis.createStream('n', { shardCount: 2 });
                  say((await kinesis.listStreams()).streamNames, (await kinesis.putRecords([{ Data: 'd', PartitionKey: 'p' }], { streamName: 'n' })).records[0].shardId,
                      (await kinesis.getShardIterator('n', 's', 'LATEST')).shardIterator, (await kinesis.getRecords('it')).records[0].data, (await kinesis.listShards('n')).shards[0].id);
                  await new EventBridgeClient(config).putEvents({ Entries: [{ Source: 's', Detail: { a: 1 }, DetailType: 't' }] });
                  const lambda = new LambdaClient(config);
                  const result = await lambda.invoke('f', '{}', { logType: 'Tail' });
                  say(JSON.parse(result.payload).ok, result.logResult, result.executedVersion, result.statusCode);
                  try { await lambda.invoke('f', '{"fail":1}'); } catch (e) { say(e.message.split(':')[0], e.response.statusCode); }
                }""", server.url)
        self.assertEqual(said, [
            ['arn', 'hush', 'n'], ['SecretsManagerServiceError', 'ResourceNotFoundException', 'no such secret', 'GetSecretValue'], ['v', 3],
            ['k', {'id': 'k', 'ciphertextBlob': 'c', 'plaintext': 'p'}], ['m', ['q'], 'X', 'me'], [['n'], 's', 'it', 'd', 's'],
            [True, 'log', '7', 200], ['Unhandled', 200]])
        calls = {target: (given, kind) for target, given, kind in cloud.calls}
        self.assertEqual(calls['secretsmanager.DeleteSecret'][0], {'SecretId': 'id', 'ForceDeleteWithoutRecovery': True})
        self.assertEqual(calls['AmazonSQS.SendMessage'], ({'QueueUrl': 'q', 'MessageBody': 'text', 'DelaySeconds': 1,
                                                           'MessageAttributes': {'a': {'DataType': 'String', 'StringValue': 'v'}}}, 'application/x-amz-json-1.0'))
        self.assertEqual(calls['AWSEvents.PutEvents'][0], {'Entries': [{'Source': 's', 'Detail': '{"a":1}', 'DetailType': 't'}]})
        self.assertEqual(calls['Kinesis_20131202.CreateStream'][0], {'StreamName': 'n', 'ShardCount': 2})


if __name__ == '__main__':
    unittest.main()
