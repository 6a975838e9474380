import { createHash, type Hash } from 'node:crypto';
import type { ChunkSignatures } from './chunk-signatures.ts';
import { S3Error } from '../s3-error.ts';

/** A line contains a chunk's size and signature, or one trailer. */
const LONGEST_LINE_BYTES = 4096;
const MOST_TRAILERS = 16;
const NEWLINE = 0x0a;

/**
 * Decodes the aws-chunked encoding of a body: for each chunk `<hex size>[;chunk-signature=<signature>]` and the data,
 * and after a chunk of size 0 the trailers.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export class AwsChunkedDecoder {
  readonly trailers = new Map<string, string>();
  readonly #signatures: ChunkSignatures | undefined;
  #state: 'size' | 'data' | 'end of data' | 'trailers' | 'done' = 'size';
  #line = '';
  #remainingBytes = 0;
  #chunkSignature: string | undefined;
  #chunkHash: Hash | undefined;

  /** @param signatures set when the chunks are signed */
  constructor(signatures?: ChunkSignatures) {
    this.#signatures = signatures;
  }

  /** Yields the data in a part of the body. @throws S3Error, SigV4Error */
  *decode(bytes: Buffer): Generator<Buffer> {
    let position = 0;
    while (position < bytes.length) {
      if (this.#state === 'done') throw malformed('there is something after the end of the chunks');
      if (this.#state === 'data') {
        const data = bytes.subarray(position, position + this.#remainingBytes);
        position += data.length;
        this.#takeData(data);
        yield data;
        continue;
      }
      const newline = bytes.indexOf(NEWLINE, position);
      const end = newline === -1 ? bytes.length : newline;
      this.#line += bytes.toString('latin1', position, end);
      if (this.#line.length > LONGEST_LINE_BYTES) throw malformed('a line is too long');
      position = end + 1;
      if (newline !== -1) {
        const line = this.#line.replace(/\r$/, '');
        this.#line = '';
        this.#takeLine(line);
      }
    }
  }

  /** Must be called at the end of the body. @throws S3Error, SigV4Error */
  end(): void {
    // Some clients omit the empty line after the last chunk.
    if (this.#state === 'trailers' && this.#line === '') this.#endTrailers();
    if (this.#state !== 'done') throw incomplete();
  }

  #takeData(data: Buffer): void {
    this.#chunkHash?.update(data);
    this.#remainingBytes -= data.length;
    if (this.#remainingBytes > 0) return;
    this.#checkChunk();
    this.#state = 'end of data';
  }

  #takeLine(line: string): void {
    switch (this.#state) {
      case 'size':
        return this.#takeSize(line);
      case 'end of data':
        if (line !== '') throw malformed('a chunk is longer than its size');
        this.#state = 'size';
        return undefined;
      case 'trailers':
        return line === '' ? this.#endTrailers() : this.#takeTrailer(line);
      case 'data':
      case 'done':
        throw new Error(`no line is expected in state ${this.#state}`);
      default:
        return this.#state satisfies never;
    }
  }

  #takeSize(line: string): void {
    const match = /^([0-9a-f]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?\s*$/i.exec(line);
    if (match === null) throw malformed('the size of a chunk is not readable');
    this.#remainingBytes = Number.parseInt(match[1] ?? '', 16);
    this.#chunkSignature = match[2];
    this.#chunkHash = this.#signatures === undefined ? undefined : createHash('sha256');
    this.#state = 'data';
    if (this.#remainingBytes > 0) return;
    this.#checkChunk();
    this.#state = 'trailers';
  }

  #takeTrailer(line: string): void {
    const colon = line.indexOf(':');
    if (colon < 1 || this.trailers.size >= MOST_TRAILERS) throw malformedTrailer();
    this.trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }

  #endTrailers(): void {
    this.#state = 'done';
    const signature = this.trailers.get('x-amz-trailer-signature');
    this.trailers.delete('x-amz-trailer-signature');
    if (this.#signatures === undefined || (this.trailers.size === 0 && signature === undefined)) return;
    const text = [...this.trailers].map(([name, value]) => `${name}:${value}\n`).join('');
    this.#signatures.checkTrailers(signature, text);
  }

  #checkChunk(): void {
    if (this.#chunkHash !== undefined) {
      this.#signatures?.checkChunk(this.#chunkSignature, this.#chunkHash.digest('hex'));
    }
  }
}

export function incomplete(): S3Error {
  return new S3Error(
    'IncompleteBody',
    'The request body terminated unexpectedly: its length is not the one that the headers announce.',
  );
}

export function malformedTrailer(): S3Error {
  return new S3Error(
    'MalformedTrailerError',
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  );
}

function malformed(what: string): S3Error {
  return new S3Error('InvalidRequest', `The aws-chunked body is malformed: ${what}.`);
}
