/** What the same session exports after its call, under the same key. */
export const AGAIN = Buffer.from('1\n');
export const AGAIN_QUERY = 'SELECT 1';
