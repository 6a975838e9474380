import type { AwsRequest } from '../http/aws-request.ts';
import type { ReceivedBody, ReceiveOptions } from './body/receive-body.ts';
import type { S3Error } from './s3-error.ts';
import type { Bucket } from './storage/bucket.ts';
import type { BucketStore } from './storage/bucket-store.ts';

/** What every operation gets: a request whose signature was verified and that is permitted. */
export interface ServiceCall {
  readonly request: AwsRequest;
  /** The owner of all buckets and objects. */
  readonly accountId: string;
  /** The region that the request was signed for. */
  readonly region: string;
  readonly store: BucketStore;
  /** Checks a permission that depends on what the operation finds. Gives undefined, or the error to answer with. */
  readonly denial: (permission: Permission) => Promise<S3Error | undefined>;
  /** Reads the body and checks it against everything that the client said about it. */
  readonly receiveBody: (options: ReceiveOptions) => Promise<ReceivedBody>;
}

/** An operation on a bucket that may not exist. */
export interface BucketNameCall extends ServiceCall {
  readonly bucketName: string;
}

export interface BucketCall extends BucketNameCall {
  readonly bucket: Bucket;
}

export interface ObjectCall extends BucketCall {
  readonly key: string;
}

/** An IAM action, and the ARN of its resource. */
export interface Permission {
  /** @example 's3:PutObject' */
  readonly action: string;
  readonly resource: string;
}

/** Which requests belong to this operation. If several operations match, the one with the most conditions is chosen. */
export interface Route {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Query parameters that must be present; `name=value` also requires the value. */
  readonly query?: readonly string[];
  /** Headers that must be there. */
  readonly headers?: readonly string[];
}

interface OperationOf<Target extends string, Call> {
  /** As the API reference names it. */
  readonly name: string;
  readonly target: Target;
  readonly route: Route;
  /** Takes requests that were signed for another region than the bucket's. @default false */
  readonly anyRegion?: boolean;
  /** The permissions that the principal needs before the operation runs. */
  readonly permissions: (call: Call) => readonly Permission[];
  readonly run: (call: Call) => Promise<S3Response> | S3Response;
}

export type ServiceOperation = OperationOf<'service', ServiceCall>;
export type BucketNameOperation = OperationOf<'bucket name', BucketNameCall>;
export type BucketOperation = OperationOf<'bucket', BucketCall>;
export type ObjectOperation = OperationOf<'object', ObjectCall>;
export type S3Operation = ServiceOperation | BucketNameOperation | BucketOperation | ObjectOperation;

export interface S3Response {
  /** @default 200 */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** XML, or the bytes of an object. */
  readonly body?: string | ObjectBytes;
}

export interface ObjectBytes {
  readonly sizeBytes: number;
  readonly read: () => AsyncIterable<Buffer>;
  /** Called once, whether reading has succeeded or not. */
  readonly release: () => void;
}

export function bucketArn(bucketName: string): string {
  return `arn:aws:s3:::${bucketName}`;
}

export function objectArn(bucketName: string, key: string): string {
  return `arn:aws:s3:::${bucketName}/${key}`;
}

export function onBucket(...actions: string[]): (call: BucketNameCall) => Permission[] {
  return ({ bucketName }) => actions.map((action) => ({ action, resource: bucketArn(bucketName) }));
}

export function onObject(...actions: string[]): (call: ObjectCall) => Permission[] {
  return ({ bucketName, key }) => actions.map((action) => ({ action, resource: objectArn(bucketName, key) }));
}
