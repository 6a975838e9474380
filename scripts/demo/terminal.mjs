// The output of the demo: with colours and a progress line on a terminal, as plain lines otherwise.
import { styleText } from 'node:util';

const isTerminal = process.stdout.isTTY;
const hasColour = isTerminal && !process.env.NO_COLOR && process.env.TERM !== 'dumb';

const style = (format, text) => (hasColour ? styleText(format, text) : text);

export const say = (text = '') => void process.stdout.write(`${text}\n`);
export const heading = (text) => say(`\n${style('bold', style('cyan', text))}`);
export const remark = (text) => say(style('dim', text));
export const good = (text) => say(`${style('green', 'ok')} ${text}`);
export const failure = (text) => void process.stderr.write(`${style('red', 'failed:')} ${text}\n`);

/** A statement or command after its prompt, as one would type it. */
export function typed(prompt, text) {
  const [first, ...rest] = text.split('\n');
  say();
  say(`${style('dim', prompt)} ${style('bold', first)}`);
  for (const line of rest) say(`${' '.repeat(prompt.length + 1)}${style('bold', line)}`);
}

export const indent = (text) =>
  text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');

/** Shows progress: on a terminal as one line that changes, otherwise as a new line from time to time. */
export function progressLine({ everyMs = 2000 } = {}) {
  let shownAt = performance.now();
  return {
    show(text) {
      if (isTerminal) {
        process.stdout.write(`\r\u001b[2K${text}`);
      } else if (performance.now() - shownAt >= everyMs) {
        shownAt = performance.now();
        say(text);
      }
    },
    end() {
      if (isTerminal) process.stdout.write('\r\u001b[2K');
    },
  };
}

export function bar(fraction, width = 30) {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return style('cyan', '#'.repeat(full)) + style('dim', '.'.repeat(width - full));
}

export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
