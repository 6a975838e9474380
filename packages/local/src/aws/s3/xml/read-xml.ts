import { SaxesParser } from 'saxes';

/** An element of a request's body. Attributes and comments are dropped: S3's requests do not use them. */
export class XmlNode {
  readonly name: string;
  readonly children: XmlNode[] = [];
  text = '';

  constructor(name: string) {
    this.name = name;
  }

  all(name: string): XmlNode[] {
    return this.children.filter((child) => child.name === name);
  }

  /** The text of the first child of that name, without surrounding white space. */
  textOf(name: string): string | undefined {
    return this.children.find((child) => child.name === name)?.text.trim();
  }
}

const DEEPEST = 10;
const MOST_ELEMENTS = 100_000;

/**
 * Parses XML as it arrives, so that a large body does not block the event loop. A DTD is refused, because it can define
 * entities, which are used for attacks.
 */
export class XmlReader {
  readonly #parser = new SaxesParser({ position: false });
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  readonly #path: XmlNode[] = [];
  #root: XmlNode | undefined;
  #elements = 0;

  constructor() {
    const fail = (message: string): never => {
      throw new Error(message);
    };
    this.#parser.on('error', (error) => {
      throw error;
    });
    this.#parser.on('doctype', () => fail('a DTD is not allowed'));
    this.#parser.on('opentag', ({ name }) => {
      if (this.#path.length >= DEEPEST) fail('the elements are nested too deeply');
      if (++this.#elements > MOST_ELEMENTS) fail('there are too many elements');
      // Namespace prefixes are ignored: there is only one namespace.
      const node = new XmlNode(name.slice(name.indexOf(':') + 1));
      this.#path.at(-1)?.children.push(node);
      this.#path.push(node);
      this.#root ??= node;
    });
    this.#parser.on('closetag', () => void this.#path.pop());
    const addText = (text: string) => {
      const node = this.#path.at(-1);
      if (node !== undefined) node.text += text;
    };
    this.#parser.on('text', addText);
    this.#parser.on('cdata', addText);
  }

  /** @throws Error when the XML is not well-formed */
  write(bytes: Buffer): void {
    this.#parser.write(this.#decoder.decode(bytes, { stream: true }));
  }

  /** Ends the document and returns its root. @throws Error when the XML is not well-formed */
  end(): XmlNode {
    this.#parser.write(this.#decoder.decode()).close();
    if (this.#root === undefined) throw new Error('there is no element');
    return this.#root;
  }
}
