import type { ServerResponse } from 'node:http';
import { randomBytes } from 'node:crypto';
import { readSignatureClaim, SigV4Error, verifySignature } from 'sluice/aws-protocol';
import type { AwsService, HandledRequest } from '../aws-service.ts';
import type { AwsRequest } from '../http/aws-request.ts';
import { accessDeniedMessage } from '../iam/policy/access-denied.ts';
import type { Identity, VerifiedSignature } from '../identity.ts';
import { parsePayloadKind, readPayloadHash } from './body/payload-kind.ts';
import { receiveBody } from './body/receive-body.ts';
import { parseBucketAddress, type BucketAddress } from './bucket-address.ts';
import { checkBucketName } from './bucket-name.ts';
import { conditionKeys } from './condition-keys.ts';
import { LONGEST_KEY_BYTES } from './limits.ts';
import type { ObjectCall, Permission, S3Operation, S3Response, ServiceCall } from './operation.ts';
import { S3Error, noSuchBucket } from './s3-error.ts';
import { selectOperation } from './select-operation.ts';
import { sendError, sendResponse } from './send-response.ts';
import type { Bucket } from './storage/bucket.ts';
import { BucketStore } from './storage/bucket-store.ts';
import { toS3Error } from './to-s3-error.ts';
import { wrongRegion } from './wrong-region.ts';

export interface S3ServiceOptions {
  /** Where buckets are kept. */
  readonly directory: string;
  readonly identity: Identity;
}

/**
 * Amazon S3 on a directory. Each request is authenticated, its operation and bucket are found, its permissions are
 * checked, and the operation runs and is answered.
 */
export class S3Service implements AwsService {
  readonly #options: S3ServiceOptions;
  readonly #store: BucketStore;

  private constructor(options: S3ServiceOptions, store: BucketStore) {
    this.#options = options;
    this.#store = store;
  }

  static async open(
    options: S3ServiceOptions,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<S3Service> {
    return new S3Service(options, await BucketStore.open(options.directory, { signal }));
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  async handle(request: AwsRequest, response: ServerResponse): Promise<HandledRequest> {
    const requestId = randomBytes(8).toString('hex').toUpperCase();
    const hostId = randomBytes(24).toString('base64');
    response.setHeader('x-amz-request-id', requestId);
    response.setHeader('x-amz-id-2', hostId);
    response.setHeader('server', 'AmazonS3');
    const address = parseBucketAddress(request.hostname, request.path);
    let operation: S3Operation | undefined;
    let error: S3Error;
    try {
      const verified = await this.#authenticate(request);
      operation = selectOperation(request, address);
      const answer = await this.#run(operation, request, address, verified);
      await sendResponse(response, answer);
      return { operation: operation.name };
    } catch (reason) {
      const isGone = response.destroyed || request.incoming.socket.destroyed;
      if (response.headersSent || isGone) throw reason;
      error = this.#toAnswer(reason, address);
    }
    const hasBody = request.method !== 'HEAD';
    await sendError(response, error, { resource: request.path, requestId, hostId, hasBody });
    return {
      operation: operation?.name,
      errorCode: error.code,
      ...(error.code === 'InternalError' && { error: error.cause }),
    };
  }

  #authenticate(request: AwsRequest): Promise<VerifiedSignature> {
    const claim = readSignatureClaim(request);
    if (claim.service !== 's3') {
      throw new SigV4Error(
        claim.from === 'header' ? 'malformed-header' : 'malformed-query',
        `incorrect service "${claim.service}". This endpoint belongs to "s3".`,
      );
    }
    const payloadHash = readPayloadHash(request, claim.from);
    return verifySignature(request, claim, { credentials: this.#options.identity.credentials, payloadHash });
  }

  async #run(
    operation: S3Operation,
    request: AwsRequest,
    address: BucketAddress,
    verified: VerifiedSignature,
  ): Promise<S3Response> {
    const { claim } = verified;
    const { accountId } = this.#options.identity;
    const payload = parsePayloadKind(readPayloadHash(request, claim.from));
    const denial = this.#asker(request, address, verified);
    const call: ServiceCall = {
      request,
      accountId,
      region: claim.region,
      store: this.#store,
      denial,
      receiveBody: (options) => receiveBody(request, payload, verified, options),
    };
    const demand = async (permissions: readonly Permission[]) => {
      for (const permission of permissions) {
        const error = await denial(permission);
        if (error !== undefined) throw error;
      }
    };
    if (operation.target === 'service') {
      await demand(operation.permissions(call));
      return operation.run(call);
    }
    const bucketName = address.bucket ?? '';
    checkBucketName(bucketName);
    if (operation.target === 'bucket name') {
      await demand(operation.permissions({ ...call, bucketName }));
      return operation.run({ ...call, bucketName });
    }
    const bucket = this.#findBucket(bucketName, request);
    if (bucket.region !== claim.region && operation.anyRegion !== true)
      throw wrongRegion(bucket, claim.region, address);
    const objectCall: ObjectCall = { ...call, bucketName, bucket, key: address.key ?? '' };
    if (operation.target === 'object') checkKey(objectCall.key);
    await demand(operation.permissions(objectCall));
    return operation.run(objectCall);
  }

  /** Checks permissions for this request. */
  #asker(request: AwsRequest, address: BucketAddress, verified: VerifiedSignature): ServiceCall['denial'] {
    const { accountId, authorize } = this.#options.identity;
    const { principal = { type: 'root', accountId } as const, sessionPolicies = [] } = verified.credentials;
    const upload = this.#store.get(address.bucket ?? '')?.uploads.get(request.query.get('uploadId') ?? '');
    const uploadHeaders = upload?.upload.encryption;
    const conditions = conditionKeys(request, verified, { accountId, uploadHeaders });
    return async (permission) => {
      const question = { principal, sessionPolicies, conditions, ...permission };
      const decision = await authorize(question);
      if (decision.allowed) return undefined;
      return new S3Error('AccessDenied', accessDeniedMessage(question, decision.because));
    };
  }

  #findBucket(name: string, request: AwsRequest): Bucket {
    const bucket = this.#store.get(name);
    if (bucket === undefined) throw noSuchBucket(name);
    const expectedOwner = request.header('x-amz-expected-bucket-owner');
    if (expectedOwner !== undefined && expectedOwner !== this.#options.identity.accountId) {
      throw new S3Error('AccessDenied', 'Access Denied');
    }
    return bucket;
  }

  #toAnswer(reason: unknown, address: BucketAddress): S3Error {
    const error = toS3Error(reason);
    if (error.code !== 'InternalError') return error;
    // If the bucket was deleted while the request ran, a missing file is not an internal error.
    const { bucket } = address;
    return bucket !== undefined && this.#store.get(bucket) === undefined ? noSuchBucket(bucket) : error;
  }
}

function checkKey(key: string): void {
  const sizeBytes = Buffer.byteLength(key);
  if (sizeBytes <= LONGEST_KEY_BYTES) return;
  throw new S3Error('KeyTooLongError', 'Your key is too long', {
    details: { Size: String(sizeBytes), MaxSizeAllowed: String(LONGEST_KEY_BYTES) },
  });
}
