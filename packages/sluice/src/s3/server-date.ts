/**
 * When S3 answered, by its own clock: whole seconds, in milliseconds since 1970. Times that S3 gives are compared with
 * this and not with our clock, which may be minutes off.
 *
 * @param response an object with headers; `unknown` because the AWS SDK gives its responses so
 */
export function serverDateOf(response: unknown): number | undefined {
  if (typeof response !== 'object' || response === null || !('headers' in response)) return undefined;
  const { headers } = response;
  if (typeof headers !== 'object' || headers === null || !('date' in headers)) return undefined;
  const date = Date.parse(String(headers.date));
  return Number.isNaN(date) ? undefined : date;
}
