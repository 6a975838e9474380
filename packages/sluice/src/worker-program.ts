/**
 * The compiled program of a worker thread, beside the module that starts it. Node.js loads no TypeScript into a thread:
 * from the sources (in tests) the compiled program is taken.
 */
export function workerProgram(moduleUrl: string, name: string): URL {
  const source = moduleUrl.endsWith('.ts') ? moduleUrl.lastIndexOf('/src/') : -1;
  const compiled =
    source === -1
      ? moduleUrl
      : `${moduleUrl.slice(0, source)}/dist/${moduleUrl.slice(source + '/src/'.length)}`;
  return new URL(`${name}.js`, compiled);
}
