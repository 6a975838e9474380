import type { IncomingMessage } from 'node:http';
import { percentDecode, QueryParameters, RequestHeaders, type SignedRequest } from 'sluice/aws-protocol';

/** A request to any AWS service: what node:http parsed, with the URL decoded byte by byte. */
export class AwsRequest implements SignedRequest {
  readonly incoming: IncomingMessage;
  readonly method: string;
  /** Decoded, with its leading slash; repeated slashes and dots are kept. */
  readonly path: string;
  readonly query: QueryParameters;
  readonly headers: RequestHeaders;
  readonly #sendContinue: () => void;
  #bodyTaken = false;

  /**
   * @param sendContinue answers `Expect: 100-continue`, when the client waits for it
   * @throws InvalidUriError
   */
  constructor(incoming: IncomingMessage, sendContinue: () => void) {
    this.incoming = incoming;
    this.headers = new RequestHeaders(incoming.rawHeaders);
    this.#sendContinue = sendContinue;
    this.method = incoming.method ?? 'GET';
    const target = withoutOrigin(incoming.url ?? '/');
    const question = target.indexOf('?');
    this.path = percentDecode(question === -1 ? target : target.slice(0, question));
    this.query = new QueryParameters(question === -1 ? '' : target.slice(question + 1));
  }

  /** The value of a header (lower-case name); several lines of one header are joined by commas, as SigV4 does. */
  header(name: string): string | undefined {
    return this.headers.get(name);
  }

  /**
   * The body as it arrives. If the client waits for `100 Continue`, it is sent only here, so that a request that is
   * refused before does not transfer its body. Leaving the loop early does not end the connection.
   */
  takeBody(): AsyncIterable<Buffer> {
    if (!this.#bodyTaken) this.#sendContinue();
    this.#bodyTaken = true;
    return this.incoming.iterator({ destroyOnReturn: false });
  }

  /** The Host header without its port, in lower case. */
  get hostname(): string {
    return (this.header('host') ?? '').replace(/:\d*$/, '').toLowerCase();
  }
}

/** Proxies send the absolute form, `GET http://host/path`. */
function withoutOrigin(target: string): string {
  if (target.startsWith('/')) return target;
  return target.replace(/^https?:\/\/[^/?]*/i, '').replace(/^(?!\/)/, '/');
}
