import { BlockList, isIP } from 'node:net';
import { negated, valueOperator } from './operator.ts';

/** An IPv4 or IPv6 range in CIDR notation; without a prefix length, a single address. */
export const ipAddress = valueOperator('IpAddress', (requestValue, policyValue) => {
  const request = parseAddress(requestValue);
  const [network = '', prefixText, ...rest] = policyValue.split('/');
  const range = parseAddress(network);
  if (request === undefined || range === undefined || rest.length > 0) return false;
  if (request.family !== range.family) return false;

  const bits = range.family === 'ipv4' ? 32 : 128;
  if (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText)) return false;
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  if (prefix > bits) return false;

  const block = new BlockList();
  block.addSubnet(range.address, prefix, range.family);
  return block.check(request.address, request.family);
});

export const notIpAddress = negated('NotIpAddress', ipAddress);

interface Address {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
}

/** A socket that listens for both families gives an IPv4 client's address as `::ffff:192.0.2.1`. */
const MAPPED_PREFIX = '::ffff:';

function parseAddress(text: string): Address | undefined {
  const tail = text.toLowerCase().startsWith(MAPPED_PREFIX) ? text.slice(MAPPED_PREFIX.length) : text;
  if (isIP(tail) === 4) return { address: tail, family: 'ipv4' };
  // A zone index (fe80::1%eth0) means something only on the host that wrote it.
  if (isIP(text) === 6 && !text.includes('%')) return { address: text, family: 'ipv6' };
  return undefined;
}
