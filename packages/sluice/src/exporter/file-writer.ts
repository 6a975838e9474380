/** Takes the bytes of one file, as COPY writes them. */
export interface FileWriter {
  /** Copies the bytes. Waits for memory, which comes back when parts have been sent. */
  append(bytes: Uint8Array): Promise<void>;
  /** The file's first `bytes` will stay in it: what can be sent of them is. */
  sendUpTo(bytes: number): Promise<void>;
  /** Moves the last bytes, none of which are among those that were said to stay, to the next file. */
  moveEnd(bytes: number, next: FileWriter): Promise<void>;
  /** The file has ended: all of it is sent, except one part alone, if that is to be kept for a PutObject. */
  end(options: { keepsOnePart: boolean }): Promise<void>;
  /** Gives its memory back, once the export has failed. */
  discard(): Promise<void>;
}
