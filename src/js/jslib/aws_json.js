// The services of https://jslib.k6.io/aws/ that speak JSON: Secrets Manager, Systems Manager, KMS, SQS, Kinesis,
// EventBridge, Lambda.
import encoding from 'k6/encoding';
import { randomBytes } from 'k6/crypto';
import { AWSClient, AWSError, InvalidSignatureError, ServiceError } from 'https://jslib.k6.io/aws/0.14.0/core.js';
export * from 'https://jslib.k6.io/aws/0.14.0/core.js';

const serviceError = (name) =>
    class extends ServiceError {
        constructor(message, code, operation) {
            super(name, message, code, operation);
        }
    };
export const SecretsManagerServiceError = serviceError('SecretsManagerServiceError');
export const SystemsManagerServiceError = serviceError('SystemsManagerServiceError');
export const KMSServiceError = serviceError('KMSServiceError');
export const SQSServiceError = serviceError('SQSServiceError');
export const KinesisServiceError = serviceError('KinesisServiceError');
export const EventBridgeServiceError = serviceError('EventBridgeServiceError');

// A client whose operations are POSTs with X-Amz-Target.
class JSONClient extends AWSClient {
    constructor(config, service, target, ServiceErrorClass, { version = '1.1', ...signing } = {}) {
        super(config, service, { uriEscapePath: true, applyChecksum: false, ...signing });
        this._target = target;
        this._Error = ServiceErrorClass;
        this._type = `application/x-amz-json-${version}`;
    }

    async call(operation, body) {
        const headers = { 'Content-Type': this._type, 'x-amz-target': `${this._target}.${operation}` };
        return this.send({ method: 'POST', path: '/', headers, body: JSON.stringify(body) }, operation);
    }

    handleError(response, operation) {
        if (!super.handleError(response)) return false;
        if (response.error_code >= 1500 && response.error_code < 1600)
            throw new this._Error('An error occurred on the server side', 'InternalServiceError', operation);
        const { Message, message, __type: code } = response.json();
        const text = Message || message || code;
        if (code === 'InvalidSignatureException') throw new InvalidSignatureError(text, code);
        throw new this._Error(text, code, operation);
    }
}

// The fields of an object that are there, under other names: renamed({ a: 1 }, { a: 'A' }) is { A: 1 }.
function renamed(object, names) {
    const result = {};
    for (const [from, to] of Object.entries(names)) if (object[from] !== undefined) result[to] = object[from];
    return result;
}

function newID() {
    const hex = Array.from(new Uint8Array(randomBytes(16)), (byte, i) =>
        (i === 6 ? (byte & 15) | 64 : i === 8 ? (byte & 63) | 128 : byte).toString(16).padStart(2, '0')).join('');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

// ---- Secrets Manager

export class Secret {
    constructor(name, arn, secret, createdDate, lastAccessedDate, lastChangedDate, tags = []) {
        Object.assign(this, { name, arn, secret, createdDate, lastAccessedDate, lastChangedDate, tags });
    }

    static fromJSON(json) {
        const { Name, ARN, SecretString, CreatedDate, LastAccessedDate, LastChangedDate, Tags } = json;
        return new Secret(Name, ARN, SecretString, CreatedDate, LastAccessedDate, LastChangedDate, Tags);
    }
}

export class SecretsManagerClient extends JSONClient {
    constructor(config) {
        super(config, 'secretsmanager', 'secretsmanager', SecretsManagerServiceError);
    }

    async listSecrets() {
        return (await this.call('ListSecrets', {})).json('SecretList').map(Secret.fromJSON);
    }

    async getSecret(id) {
        return Secret.fromJSON((await this.call('GetSecretValue', { SecretId: id })).json());
    }

    async createSecret(name, secret, description, versionID = newID(), tags) {
        const body = { Name: name, Description: description, SecretString: secret, ClientRequestToken: versionID, Tags: tags };
        return Secret.fromJSON((await this.call('CreateSecret', body)).json());
    }

    async putSecretValue(id, secret, versionID = newID()) {
        const body = { SecretId: id, SecretString: secret, ClientRequestToken: versionID };
        return Secret.fromJSON((await this.call('PutSecretValue', body)).json());
    }

    async deleteSecret(id, { recoveryWindow = 30, noRecovery = false } = {}) {
        const how = noRecovery === true ? { ForceDeleteWithoutRecovery: true } : { RecoveryWindowInDays: recoveryWindow };
        await this.call('DeleteSecret', { SecretId: id, ...how });
    }
}

// ---- Systems Manager

export class SystemsManagerParameter {
    constructor(arn, dataType, lastModifiedDate, name, selector, sourceResult, type, value, version) {
        Object.assign(this, { arn, dataType, lastModifiedDate, name, selector, sourceResult, type, value, version });
    }

    static fromJSON({ Parameter: p }) {
        return new SystemsManagerParameter(p.ARN, p.DataType, p.LastModifiedDate, p.Name, p.Selector, p.SourceResult, p.Type, p.Value, p.Version);
    }
}

export class SystemsManagerClient extends JSONClient {
    constructor(config) {
        super(config, 'ssm', 'AmazonSSM', SystemsManagerServiceError);
    }

    async getParameter(name, withDecryption = false) {
        const response = await this.call('GetParameter', { Name: name, WithDecryption: withDecryption });
        return SystemsManagerParameter.fromJSON(response.json());
    }
}

// ---- KMS

export class KMSKey {
    constructor(keyArn, keyId) {
        Object.assign(this, { keyArn, keyId });
    }
}

export class KMSDataKey {
    constructor(ciphertextBlob, id, plaintext) {
        Object.assign(this, { id, ciphertextBlob, plaintext });
    }
}

export class KMSClient extends JSONClient {
    constructor(config) {
        super(config, 'kms', 'TrentService', KMSServiceError);
    }

    async listKeys() {
        return (await this.call('ListKeys', {})).json('Keys').map(({ KeyArn, KeyId }) => new KMSKey(KeyArn, KeyId));
    }

    // size: bytes
    async generateDataKey(id, size = 32) {
        const key = (await this.call('GenerateDataKey', { KeyId: id, NumberOfBytes: size })).json();
        return new KMSDataKey(key.CiphertextBlob, key.KeyId, key.Plaintext);
    }
}

// ---- SQS

export class MessageResponse {
    constructor(id, bodyMD5) {
        Object.assign(this, { id, bodyMD5 });
    }
}

export class ReceivedMessage {
    constructor({ MessageId, BodyMD5, ReceiptHandle, Body, Attributes }) {
        const names = ['MessageGroupId', 'AWSTraceHeader', 'SenderId', 'ApproximateFirstReceiveTimestamp', 'ApproximateReceiveCount',
            'SentTimestamp', 'SequenceNumber', 'MessageDeduplicationId'];
        this.toStringTag = 'ReceivedMessage';
        Object.assign(this, { id: MessageId, BodyMD5, ReceiptHandle, Body, Attributes: {} });
        for (const name of names) this.Attributes[name] = (Attributes || {})[name];
    }
}

function messageBody(text, options = {}) {
    const body = { MessageBody: text };
    Object.assign(body, renamed(options, {
        messageDeduplicationId: 'MessageDeduplicationId',
        messageGroupId: 'MessageGroupId',
        delaySeconds: 'DelaySeconds',
    }));
    if (options.messageAttributes === undefined) return body;
    body.MessageAttributes = {};
    for (const [name, { type, value }] of Object.entries(options.messageAttributes)) {
        body.MessageAttributes[name] = { DataType: type, [type === 'Binary' ? 'BinaryValue' : 'StringValue']: value };
    }
    return body;
}

const sentMessage = ({ MessageId, MD5OfMessageBody }) => new MessageResponse(MessageId, MD5OfMessageBody);

export class SQSClient extends JSONClient {
    constructor(config) {
        super(config, 'sqs', 'AmazonSQS', SQSServiceError, { version: '1.0', applyChecksum: true });
    }

    async sendMessage(queueUrl, text, options) {
        return sentMessage((await this.call('SendMessage', { QueueUrl: queueUrl, ...messageBody(text, options) })).json());
    }

    // entries: { messageId, messageBody, messageOptions }
    async sendMessageBatch(queueUrl, entries) {
        const Entries = entries.map((entry) => ({ ...messageBody(entry.messageBody, entry.messageOptions), Id: entry.messageId }));
        const { Successful = [], Failed = [] } = (await this.call('SendMessageBatch', { QueueUrl: queueUrl, Entries })).json();
        return {
            successful: Successful.map(sentMessage),
            failed: Failed.map(({ Message, Code }) => new SQSServiceError(Message, Code, 'SendMessageBatch')),
        };
    }

    async receiveMessages(queueUrl, attributes = ['All'], systemAttributes = ['All'], most = 1, visibilityTimeout = 30, waitSeconds = 10, attemptId) {
        const response = await this.call('ReceiveMessage', {
            MaxNumberOfMessages: most,
            MessageAttributeNames: attributes,
            MessageSystemAttributeNames: systemAttributes,
            QueueUrl: queueUrl,
            VisibilityTimeout: visibilityTimeout,
            WaitTimeSeconds: waitSeconds,
            ReceiveRequestAttemptId: attemptId,
        });
        return (response.json().Messages || []).map((message) => new ReceivedMessage(message));
    }

    async deleteMessage(queueUrl, receiptHandle) {
        await this.call('DeleteMessage', { QueueUrl: queueUrl, ReceiptHandle: receiptHandle });
    }

    async listQueues(parameters = {}) {
        const names = { maxResults: 'MaxResults', nextToken: 'NextToken', queueNamePrefix: 'QueueNamePrefix' };
        const { QueueUrls, NextToken } = (await this.call('ListQueues', renamed(parameters, names))).json();
        return { urls: QueueUrls, nextToken: NextToken };
    }
}

// ---- Kinesis

export class KinesisClient extends JSONClient {
    constructor(config) {
        super(config, 'kinesis', 'Kinesis_20131202', KinesisServiceError, { uriEscapePath: false, applyChecksum: true });
    }

    async createStream(streamName, { shardCount, streamModeDetails } = {}) {
        const mode = streamModeDetails ? { StreamMode: streamModeDetails.streamMode } : {};
        await this.call('CreateStream', { StreamName: streamName, ...(shardCount && { ShardCount: shardCount }), ...mode });
    }

    async deleteStream(streamName, parameters = {}) {
        const names = { streamARN: 'StreamARN', enforceConsumerDeletion: 'EnforceConsumerDeletion' };
        await this.call('DeleteStream', { StreamName: streamName, ...renamed(parameters, names) });
    }

    async listStreams(parameters = {}) {
        const names = { exclusiveStartStreamName: 'ExclusiveStartStreamName', limit: 'Limit', nextToken: 'NextToken' };
        const { HasMoreStreams = false, NextToken = '', StreamNames = [], StreamSummaries = [] } =
            (await this.call('ListStreams', renamed(parameters, names))).json();
        const streamSummaries = StreamSummaries.map((summary) => ({
            streamARN: summary.StreamARN || '',
            streamCreationTimestamp: summary.StreamCreationTimestamp || 0,
            streamModeDetails: summary.StreamModeDetails || {},
            streamName: summary.StreamName || '',
            streamStatus: summary.StreamStatus || '',
        }));
        return { hasMoreStreams: HasMoreStreams, nextToken: NextToken, streamNames: StreamNames, streamSummaries };
    }

    // records: { Data, PartitionKey }
    async putRecords(records, parameters = {}) {
        const { streamName, streamARN } = parameters;
        if (!streamName && !streamARN) throw new Error('Either streamName or streamARN must be provided');
        const target = renamed(parameters, { streamName: 'StreamName', streamARN: 'StreamARN' });
        const { EncryptionType = 'NONE', FailedRecordCount = 0, Records = [] } = (await this.call('PutRecords', { Records: records, ...target })).json();
        return {
            encryptionType: EncryptionType,
            failedRecordCount: FailedRecordCount,
            records: Records.map(({ SequenceNumber, ShardId }) => ({ sequenceNumber: SequenceNumber, shardId: ShardId })),
        };
    }

    async getRecords(shardIterator, parameters = {}) {
        const body = { ShardIterator: shardIterator, ...renamed(parameters, { limit: 'Limit', streamARN: 'StreamARN' }) };
        const { NextShardIterator = '', Records = [], MillisBehindLatest = 0 } = (await this.call('GetRecords', body)).json();
        return {
            nextShardIterator: NextShardIterator,
            records: Records.map(({ Data, PartitionKey, SequenceNumber }) => ({ data: Data, partitionKey: PartitionKey, sequenceNumber: SequenceNumber })),
            millisBehindLatest: MillisBehindLatest,
        };
    }

    async listShards(streamName, parameters = {}) {
        const body = { StreamName: streamName, ...renamed(parameters, { nextToken: 'NextToken', maxResults: 'MaxResults' }) };
        const { Shards = [], NextToken } = (await this.call('ListShards', body)).json();
        const shards = Shards.map((shard) => ({
            id: shard.ShardId,
            parentShardId: shard.ParentShardId,
            adjacentParentShardId: shard.AdjacentParentShardId,
            hashKeyRange: shard.HashKeyRange,
            sequenceNumberRange: shard.SequenceNumberRange,
        }));
        return { shards, nextToken: NextToken };
    }

    async getShardIterator(streamName, shardId, shardIteratorType, parameters = {}) {
        const names = { startingSequenceNumber: 'StartingSequenceNumber', timestamp: 'Timestamp' };
        const body = { StreamName: streamName, ShardId: shardId, ShardIteratorType: shardIteratorType, ...renamed(parameters, names) };
        return { shardIterator: (await this.call('GetShardIterator', body)).json('ShardIterator') };
    }
}

// ---- EventBridge

export class EventBridgeClient extends JSONClient {
    constructor(config) {
        super(config, 'events', 'AWSEvents', EventBridgeServiceError);
    }

    async putEvents(input) {
        const Entries = input.Entries.map((entry) => ({ ...entry, Detail: JSON.stringify(entry.Detail) }));
        await this.call('PutEvents', { ...input, Entries });
    }
}

// ---- Lambda

export class LambdaInvocationError extends Error {
    constructor(message, response) {
        super(`${message}: ${response.payload}`);
        this.response = response;
    }
}

export class LambdaClient extends AWSClient {
    constructor(config) {
        super(config, 'lambda', { uriEscapePath: true, applyChecksum: false });
    }

    async invoke(name, payload, { invocationType = 'RequestResponse', logType = 'None', clientContext, qualifier } = {}) {
        const headers = {
            'Content-Type': 'application/x-amz-json-1.1',
            'x-amz-target': `AWSLambda.${invocationType}`,
            'X-Amz-Invocation-Type': invocationType,
            'X-Amz-Log-Type': logType,
        };
        if (clientContext) headers['X-Amz-Client-Context'] = clientContext;
        const query = qualifier ? { Qualifier: qualifier } : {};
        const path = `/2015-03-31/functions/${name}/invocations`;
        const response = await this.send({ method: 'POST', path, query, headers, body: payload || '' });
        const log = response.headers['X-Amz-Log-Result'];
        const result = {
            executedVersion: response.headers['X-Amz-Executed-Version'],
            logResult: log ? encoding.b64decode(log, 'std', 's') : undefined,
            statusCode: response.status,
            payload: response.body,
        };
        const functionError = response.headers['X-Amz-Function-Error'];
        if (functionError) throw new LambdaInvocationError(functionError, result);
        return result;
    }

    handleError(response) {
        if (!super.handleError(response)) return false;
        const error = AWSError.parse(response);
        if (['AuthorizationHeaderMalformed', 'InvalidSignatureException'].includes(error.code))
            throw new InvalidSignatureError(error.message, error.code);
        throw error;
    }
}
