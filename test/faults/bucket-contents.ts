import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  paginateListObjectsV2,
  ListMultipartUploadsCommand,
} from '@aws-sdk/client-s3';
import { BUCKET, type TestStack } from '../support/test-stack.ts';

/** The contents of the bucket under a prefix. */
export interface Contents {
  keys: string[];
  uploads: { key: string; uploadId: string }[];
}

/** Read by the administrator, without any faults. */
export async function contentsOf({ s3 }: TestStack, prefix: string): Promise<Contents> {
  const keys: string[] = [];
  for await (const { Contents: objects = [] } of paginateListObjectsV2(
    { client: s3 },
    { Bucket: BUCKET, Prefix: prefix },
  )) {
    keys.push(...objects.flatMap(({ Key }) => Key ?? []));
  }
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: prefix }));
  return {
    keys,
    uploads: Uploads.map(({ Key = '', UploadId = '' }) => ({ key: Key, uploadId: UploadId })),
  };
}

export async function removeContents({ s3 }: TestStack, { keys, uploads }: Contents): Promise<void> {
  for (const key of keys) await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
  for (const { key, uploadId } of uploads) {
    await s3
      .send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key: key, UploadId: uploadId }))
      .catch((error: unknown) => {
        // The agent may have aborted it in the meantime.
        if (!(error instanceof Error && error.name === 'NoSuchUpload')) throw error;
      });
  }
}
