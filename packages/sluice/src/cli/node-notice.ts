/** Node.js 20 has had no security fixes since April 2026, https://nodejs.org/en/about/previous-releases */
const OLDEST_MAINTAINED_MAJOR = 22;

/** What the agent logs about a version of Node.js that gets no security fixes any more; undefined for all others. */
export function nodeNotice(version: string): string | undefined {
  const major = Number.parseInt(version.replace(/^v/, ''), 10);
  return major < OLDEST_MAINTAINED_MAJOR
    ? `Node.js ${major} works, but gets no security fixes any more: Node.js 22 or 24 does`
    : undefined;
}
