import type { IncomingMessage } from 'node:http';
import { percentDecode } from './percent-encoding.ts';
import { QueryParameters } from './query-parameters.ts';

/** A request to any AWS service: what node:http parsed, with the URL decoded byte by byte. */
export class AwsRequest {
  readonly incoming: IncomingMessage;
  readonly method: string;
  /** Decoded, with its leading slash; repeated slashes and dots are kept. */
  readonly path: string;
  readonly query: QueryParameters;
  readonly #sendContinue: () => void;
  readonly #headers: ReadonlyMap<string, readonly string[]>;
  #bodyTaken = false;

  /**
   * @param sendContinue answers `Expect: 100-continue`, when the client waits for it
   * @throws InvalidUriError
   */
  constructor(incoming: IncomingMessage, sendContinue: () => void) {
    this.incoming = incoming;
    this.#headers = headersOf(incoming);
    this.#sendContinue = sendContinue;
    this.method = incoming.method ?? 'GET';
    const target = withoutOrigin(incoming.url ?? '/');
    const question = target.indexOf('?');
    this.path = percentDecode(question === -1 ? target : target.slice(0, question));
    this.query = new QueryParameters(question === -1 ? '' : target.slice(question + 1));
  }

  /** The value of a header (lower-case name); several lines of one header are joined by commas, as SigV4 does. */
  header(name: string): string | undefined {
    return this.#headers.get(name)?.join(',');
  }

  /** On how many lines a header (lower-case name) stands. */
  headerLines(name: string): number {
    return this.#headers.get(name)?.length ?? 0;
  }

  /**
   * The body as it arrives. A client that asked first is told to send it only now, so that one who may not is spared
   * the transfer. Leaving the loop early does not end the connection.
   */
  takeBody(): AsyncIterable<Buffer> {
    if (!this.#bodyTaken) this.#sendContinue();
    this.#bodyTaken = true;
    return this.incoming.iterator({ destroyOnReturn: false });
  }

  headerNames(): string[] {
    return [...this.#headers.keys()];
  }

  /** The Host header without its port, in lower case. */
  get hostname(): string {
    return (this.header('host') ?? '').replace(/:\d*$/, '').toLowerCase();
  }
}

/** Not node:http's own objects, in which the header `__proto__` or `constructor` meets what every object has. */
function headersOf({ rawHeaders }: IncomingMessage): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const values = headers.get(name) ?? [];
    values.push(rawHeaders[i + 1] ?? '');
    headers.set(name, values);
  }
  return headers;
}

/** Proxies send the absolute form, `GET http://host/path`. */
function withoutOrigin(target: string): string {
  if (target.startsWith('/')) return target;
  return target.replace(/^https?:\/\/[^/?]*/i, '').replace(/^(?!\/)/, '/');
}
