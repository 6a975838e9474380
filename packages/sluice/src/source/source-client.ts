import { Client, type ClientConfig } from 'pg';

/** A client of pg to export with. What breaks its connection while it is idle is told by the next query. */
export class SourceClient extends Client {
  #sessionEncoding = 'UTF8';
  #copyEncoding: string | undefined;

  constructor(config: ClientConfig) {
    super(config);
    this.on('error', () => undefined);
    this.connection.on('parameterStatus', (status: { parameterName: string; parameterValue: string }) => {
      if (status.parameterName === 'client_encoding') this.#sessionEncoding = status.parameterValue;
    });
  }

  /** The session's client_encoding, as the server said last: that of queries and errors. pg asks for UTF-8. */
  get sessionEncoding(): string {
    return this.#sessionEncoding;
  }

  /** The encoding in which COPY writes what has no `encoding` option. @default the session's */
  get copyEncoding(): string {
    return this.#copyEncoding ?? this.#sessionEncoding;
  }

  set copyEncoding(encoding: string | undefined) {
    this.#copyEncoding = encoding;
  }
}
