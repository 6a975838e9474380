import type pg from 'pg';

/** What a COPY ... TO STDOUT of pg has to be told; its other messages are of no matter. */
interface CopyMessage {
  chunk: Buffer;
}

/** A COPY ... TO STDOUT, whose rows are the messages that it comes in. */
class CopyQuery implements pg.Submittable {
  readonly rows: string[] = [];
  readonly ended: Promise<void>;
  readonly #text: string;
  #settle: (error: Error | undefined) => void = () => undefined;

  constructor(text: string) {
    this.#text = text;
    this.ended = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.ended.catch(() => undefined);
  }

  submit(connection: pg.Connection): void {
    connection.query(this.#text);
  }

  handleCopyData({ chunk }: CopyMessage): void {
    this.rows.push(chunk.toString('latin1'));
  }

  handleError(error: Error): void {
    this.#settle(error);
  }

  handleReadyForQuery(): void {
    this.#settle(undefined);
  }

  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
}

/** The rows of a query as COPY (query) writes them, byte by byte, in its order. */
export async function copiedRows(client: pg.Client, query: string): Promise<string[]> {
  return copiedBy(client, `COPY (\n${query}\n) TO STDOUT`);
}

/** The rows that a COPY ... TO STDOUT writes. */
export async function copiedBy(client: pg.Client, statement: string): Promise<string[]> {
  const query = client.query(new CopyQuery(statement));
  await query.ended;
  return query.rows;
}
