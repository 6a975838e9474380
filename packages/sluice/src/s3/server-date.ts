/**
 * When S3 answered, by its own clock in whole seconds, in milliseconds since 1970. What S3 says of times is compared with
 * this rather than with our clock, which may be minutes off.
 *
 * @param response whatever has headers: the AWS SDK gives its transport's as unknown
 */
export function serverDateOf(response: unknown): number | undefined {
  if (typeof response !== 'object' || response === null || !('headers' in response)) return undefined;
  const { headers } = response;
  if (typeof headers !== 'object' || headers === null || !('date' in headers)) return undefined;
  const date = Date.parse(String(headers.date));
  return Number.isNaN(date) ? undefined : date;
}
