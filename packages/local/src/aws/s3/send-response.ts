import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { ObjectBytes, S3Response } from './operation.ts';
import type { S3Error } from './s3-error.ts';
import { writeErrorXml } from './xml/write-xml.ts';

/** Sends what an operation answers. Rejects when the connection ends first. */
export async function sendResponse(response: ServerResponse, answer: S3Response): Promise<void> {
  const { body, status = 200 } = answer;
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    if (value !== undefined) response.setHeader(name, value);
  }
  if (body === undefined || typeof body === 'string') {
    const text = body ?? '';
    response.statusCode = status;
    if (text !== '') response.setHeader('content-type', 'application/xml');
    if (status !== 204 && status !== 304 && !response.hasHeader('content-length')) {
      response.setHeader('content-length', Buffer.byteLength(text));
    }
    response.end(text);
    return;
  }
  await sendObject(response, status, body);
}

/** Sends an error. @param hasBody false for HEAD requests, whose answers have none */
export function sendError(
  response: ServerResponse,
  error: S3Error,
  facts: {
    readonly resource: string;
    readonly requestId: string;
    readonly hostId: string;
    readonly hasBody: boolean;
  },
): Promise<void> {
  const xml = writeErrorXml([
    ['Code', error.code],
    ['Message', error.message],
    ...Object.entries(error.details),
    ['Resource', facts.resource],
    ['RequestId', facts.requestId],
    ['HostId', facts.hostId],
  ]);
  const headers = { ...error.headers, 'content-type': 'application/xml' };
  const body = facts.hasBody && error.status !== 304 ? xml : '';
  return sendResponse(response, { status: error.status, headers, body });
}

async function sendObject(response: ServerResponse, status: number, body: ObjectBytes): Promise<void> {
  try {
    response.statusCode = status;
    response.setHeader('content-length', body.sizeBytes);
    await pipeline(body.read, response);
  } finally {
    body.release();
  }
}
