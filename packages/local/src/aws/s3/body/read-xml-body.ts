import { S3Error, malformedXml } from '../s3-error.ts';
import type { ServiceCall } from '../operation.ts';
import { XmlReader, type XmlNode } from '../xml/read-xml.ts';
import type { ReceivedBody, ReceiveOptions } from './receive-body.ts';

export interface XmlBody {
  /** Undefined when the body is empty. */
  readonly root: XmlNode | undefined;
  readonly received: ReceivedBody;
}

/** Reads a body of XML with the given root. @throws S3Error MalformedXML, MaxMessageLengthExceeded */
export async function readXmlBody(
  call: ServiceCall,
  rootName: string,
  maxBytes: number,
  options: Pick<ReceiveOptions, 'checksumHeaders'> = {},
): Promise<XmlBody> {
  const reader = new XmlReader();
  try {
    const received = await call.receiveBody({
      ...options,
      maxBytes,
      needsLength: false,
      write: (piece) => {
        parse(() => reader.write(piece));
        return undefined;
      },
    });
    if (received.sizeBytes === 0) return { root: undefined, received };
    const root = parse(() => reader.end());
    if (root.name !== rootName) throw malformedXml();
    return { root, received };
  } catch (error) {
    if (error instanceof S3Error && error.code === 'EntityTooLarge') {
      throw new S3Error('MaxMessageLengthExceeded', 'Your request was too big.', {
        details: { MaxMessageLengthBytes: String(maxBytes) },
      });
    }
    throw error;
  }
}

function parse<Result>(step: () => Result): Result {
  try {
    return step();
  } catch (error) {
    throw malformedXml(error);
  }
}
